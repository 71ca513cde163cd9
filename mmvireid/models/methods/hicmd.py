"""Hi-CMD: who somebody is, told apart from pose and illumination by exchanging them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.models.base import AlternatingReID, unwrap
from mmvireid.models.batches import (
    FAKE,
    check_group_rows,
    combine_codes,
    group_sizes,
    split_singles,
)
from mmvireid.models.generators import (
    BOTH_WAYS,
    CYCLES,
    RELIT,
    CodeNetworks,
    Codes,
    cycle_codes,
    exchange_codes,
    exchange_pictures,
    join_codes,
    relight_codes,
    same_codes,
)
from mmvireid.models.layers import RandomHoles, kept_statistics
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES


@MODELS.register_module()
class HiCMD(CodeNetworks, AlternatingReID):
    r"""Hi-CMD (Choi et al., CVPR 2020).

    Row i of the visible [x_1] and of the infrared images [x_2] shows the same person. An image has
    four codes: prototype [p] and style [a^s], which tell who it shows, pose [a^p] and illumination
    [a^c], the ID-excluded ones [a^ex]. One iteration:

    1. ``discriminators``: real images against two fakes of each modality, x_{2->1} =
       G(p_2, a^s_2, a^c_1, a^p_1) and G(p_2, a^s_2, a^c_1, a^p_2), and vice versa      [Eq. 7]
    2. ``generation_reid``, one backward pass for two optimisers:

       - exchange a pair's ID-excluded codes: a fake shall equal the real image that gave them
         [Eq. 1]; images decoded from their own codes shall stay as they are [Eq. 2]
       - encode the fakes: the codes that went in shall come out [Eq. 4], and make the first
         images again [Eq. 3]; ID-excluded codes stay near 0 [Eq. 6]; fakes shall fool [Eq. 7]
       - combine prototypes and styles of a person's real and fake images alternately, mix the
         two, classify and compare the features                            [Sec. 3.3, Eqs. 8, 9]

    Test: the feature of an image's own prototype and style; cosine similarity.

    What the paper leaves open, what the release does otherwise: ``configs/hicmd/README.md``.

    Args:
        input_size: Height and width of the images.
        prototype_encoder: Config of an encoder of prototypes [E^p]; each modality has one.
        attribute_encoder: Config of an encoder of the other codes [E^a]; each modality has one.
        decoder: Config of the decoder [G]; its sizes follow from the encoders.
        discriminator: Config of a discriminator [D], one per modality; ``None`` for none.
        feature_module: Config of what learns identities from codes [HFL]; its sizes follow from the
            encoders.
        losses: Config of the losses ``identity``, ``triplet``, ``adversarial`` and ``r1``.
        loss_weights: Weights of the terms, see the ``loss_...`` methods.
        sampling: Combinations of prototypes and styles, see :func:`combine_codes`.
        cycle: What Eq. 3 takes from fakes: ``'all'`` codes, or the ``'prototype'`` (the style is
            then the partner's).
        own_style: Whether Eq. 2 decodes an image with its own style, or else with its partner's.
        detach_fakes: Whether identities teach the encoders only, and not the decoder.
        num_unpaired: U; of the last 2U pairs of a batch, the first U give their visible images and
            the other U their infrared ones, which serve as negatives.
        group_passes: Whether BatchNorm sees what it sees in the release: features are learned in
            a pass per group (:func:`group_sizes`), and every pass moves the running statistics,
            those of fakes and of the discriminators' update too. Otherwise H and head learn in
            one pass, and encoders' statistics are those of real images in ``generation_reid``.
        erasing: Arguments of :class:`RandomHoles`, for the images that identities are learned
            from.
        **kwargs: As in :class:`BaseReID`.

    Raises:
        ValueError: If an argument is not allowed or the parts do not fit together.
    """

    updates = dict(
        discriminators=('discriminators',),
        generation_reid=('generation', 'reid'),
    )
    pair_terms = ('triplet',)
    diagnostics = ('alpha',)

    def __init__(
        self,
        input_size: Sequence[int],
        prototype_encoder: dict,
        attribute_encoder: dict,
        decoder: dict,
        discriminator: dict | None,
        feature_module: dict,
        losses: dict[str, dict],
        loss_weights: dict[str, float | None],
        sampling: str = 'alternate',
        cycle: str = 'all',
        own_style: bool = True,
        detach_fakes: bool = True,
        num_unpaired: int = 0,
        group_passes: bool = False,
        erasing: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(loss_weights, **kwargs)
        combine_codes(sampling, num_pairs=1)  # so that a wrong name is known now
        if cycle not in CYCLES or num_unpaired < 0:
            raise InvalidValueError(
                f'HiCMD: `cycle` is {cycle!r} and `num_unpaired` {num_unpaired}, expected one of '
                f'{CYCLES}, and at least 0.'
            )
        self.check_needed_by('adversarial', discriminator=discriminator)
        self.input_size, self.sampling = tuple(input_size), sampling
        self.cycle, self.own_style = cycle, own_style
        self.detach_fakes, self.num_unpaired = detach_fakes, num_unpaired
        self.group_passes = group_passes
        self.holes = RandomHoles(**(erasing or dict(p=0.0)))
        prototypes, attributes = self.add_code_networks(
            self.input_size, prototype_encoder, attribute_encoder, decoder
        )
        self.add_twins('discriminator', discriminator, equal=True, image_size=self.input_size)
        if discriminator is None:
            self.updates = dict(generation_reid=self.updates['generation_reid'])
        self.add_part(
            'feature_module',
            feature_module,
            prototype_channels=prototypes.out_channels,
            style_size=attributes.style_size,
        )
        self.add_losses(losses)

    def loss_discriminators(self, inputs: dict, data_samples: list, shared: dict) -> dict:
        """Step 1: ``<modality>_real``, ``<modality>_fake`` (of two fakes) and ``<modality>_r1``."""
        images, _ = split_singles(inputs, self.num_unpaired)
        # an update moves the statistics of those alone that it trains
        with torch.no_grad(), self.passing_by():
            real = self.encode_all(images)
            fakes = self.decode_by_name(exchange_codes(real) | relight_codes(real))
        judge, terms = self.losses['adversarial'], {}
        for modality in MODALITIES:
            discriminator = self.twin('discriminator', modality)
            image = images[modality].detach().requires_grad_()
            on_real = discriminator(image)
            on_fakes = [discriminator(fakes[kind[modality]]) for kind in (FAKE, RELIT)]
            terms[f'{modality}_real'] = judge(on_real, real=True)
            terms[f'{modality}_fake'] = sum(judge(logits, real=False) for logits in on_fakes)
            terms[f'{modality}_r1'] = self.losses['r1'](on_real, image)
        return terms

    def loss_generation_reid(self, inputs: dict, data_samples: list, shared: dict) -> dict:
        """Step 2; terms of :meth:`generation_terms` and :meth:`identity_terms`, and ``alpha``."""
        labels = self.pair_labels(data_samples)
        pairs, with_singles = split_singles(inputs, self.num_unpaired)
        terms, made = self.generation_terms(pairs)
        fakes = {key: made[FAKE[key]] for key in MODALITIES}
        terms |= self.identity_terms(with_singles, fakes, labels)
        return terms | dict(alpha=unwrap(self.feature_module).mix.alpha)

    def generation_terms(self, images: dict[str, Tensor]) -> tuple[dict, dict[str, Tensor]]:
        """Encode images (N, 3, H, W), exchange codes, decode; encode and decode again.

        Terms, each the sum over both modalities: ``cross`` [Eq. 1], ``same`` [Eq. 2], ``cycle``
        [Eq. 3], ``code`` [Eq. 4], ``prior`` [Eq. 6], ``adversarial`` [Eq. 7].

        Returns:
            The terms, scalars, and the decoded images by name.
        """
        real, made, fake, again = self.there_and_back(
            images, relit=self.wants('adversarial'), same=self.wants('same')
        )
        terms = dict.fromkeys(('cross', 'same', 'cycle', 'code', 'prior', 'adversarial'), 0.0)
        for modality, other in BOTH_WAYS:
            image, own = images[modality], real[modality]
            terms['cross'] += F.l1_loss(made[FAKE[modality]], image)
            if self.wants('same'):
                terms['same'] += F.l1_loss(made[modality], image)
            terms['cycle'] += F.l1_loss(again[modality], image)
            terms['code'] += F.l1_loss(fake[other].style, own.style)
            terms['code'] += F.l1_loss(fake[modality].excluded, own.excluded)
            terms['prior'] += own.excluded.square().mean()
            if self.wants('adversarial'):
                for kind in (FAKE, RELIT):
                    logits = self.twin('discriminator', modality)(made[kind[modality]])
                    terms['adversarial'] += self.losses['adversarial'](logits, real=True)
        return terms, made

    def there_and_back(self, images: dict[str, Tensor], relit: bool, same: bool) -> tuple:
        """Encode images of both modalities, decode them in exchange, and the same again.

        Args:
            images: Real images (N, 3, H, W) by modality, row i of both of the same person.
            relit: Whether the second kind of fakes is decoded too.
            same: Whether the images' own codes are decoded too.

        Returns:
            Codes of the real images by modality, decoded images by name, codes of the fakes by
            modality, and the real images made again by modality.
        """
        real = self.encode_all(images)
        wanted = exchange_codes(real)
        if relit:
            wanted |= relight_codes(real)
        if same:
            wanted |= same_codes(real, self.own_style)
        made = self.decode_by_name(wanted)
        # the statistics that evaluation will use are those of real images
        with self.passing_by():
            fake = self.encode_all({key: made[FAKE[key]] for key in MODALITIES})
        return real, made, fake, self.decode_by_name(cycle_codes(real, fake, self.cycle))

    def identity_terms(self, images: dict, fakes: dict, labels: Tensor) -> dict:
        """Learn features of combined codes: terms ``identity`` [Eq. 8] and ``triplet`` [Eq. 9].

        Args:
            images: Real images by modality: pairs, then single ones.
            fakes: Fakes of the pairs by modality.
            labels: Identity of every pair, and of those that gave single images, (P,), on the CPU.
        """
        counts = self.sampling, len(labels) - 2 * self.num_unpaired, self.num_unpaired
        table = combine_codes(*counts)
        groups = check_group_rows(group_sizes(*counts)) if self.group_passes else None
        parts = [*self.encode_all(images, True, groups and groups.real).values()]
        if self.sampling != 'original':
            if self.detach_fakes:
                fakes = {key: fake.detach() for key, fake in fakes.items()}
            with self.passing_by():
                parts += self.encode_all(fakes, erase=True).values()
        codes = join_codes(parts)
        found = self.feature_module(
            codes.prototype,
            codes.style.flatten(1),
            self.to_device(table.prototypes),
            self.to_device(table.styles),
            groups,
        )
        labels = self.to_device(labels[table.people])
        anchors = slice(len(labels) - 2 * self.num_unpaired)
        embedding = found.embedding
        return dict(
            identity=self.losses['identity'](found.logits, labels),
            triplet=self.losses['triplet'](embedding[anchors], labels[anchors], embedding, labels),
        )

    def passing_by(self) -> AbstractContextManager:
        """Passes that leave running statistics alone, other than in the release."""
        return nullcontext() if self.group_passes else kept_statistics(self)

    def encode_all(
        self,
        images: dict[str, Tensor],
        erase: bool = False,
        groups: Sequence[int] | None = None,
    ) -> dict[str, Codes]:
        """Codes of images of both modalities.

        Args:
            images: By modality, (N, 3, H, W).
            erase: Whether a random part of them is erased.
            groups: How many images of each modality pass by themselves; ``None`` for all together.
        """
        if erase:
            images = {
                key: rows.masked_fill(self.to_device(self.holes(rows.shape)), 0.0)
                for key, rows in images.items()
            }
        return self.encode_by_modality(images, groups)

    def generate(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Pictures (N, 3, H, W) by title: images, of their own codes, both fakes, the cycle's."""
        _, made, _, again = self.there_and_back(inputs, relit=True, same=True)
        return exchange_pictures(inputs, made, again)

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Features (N, D) of prototypes and styles, see :meth:`BaseReID.extract`."""
        codes = self.encode_together(inputs)
        return self.feature_module(codes.prototype, codes.style.flatten(1)).feature
