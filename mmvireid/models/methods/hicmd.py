"""Hi-CMD: who somebody is, told apart from pose and illumination by exchanging them."""

import copy
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.transforms import RandomErasing

from mmvireid.errors import InvalidValueError
from mmvireid.models.base import AlternatingReID, unwrap, with_sizes
from mmvireid.models.batches import (
    FAKE,
    Groups,
    combine_codes,
    group_sizes,
    paired_labels,
    split_singles,
)
from mmvireid.models.generators import (
    BOTH_WAYS,
    CYCLES,
    RELIT,
    Codes,
    cycle_codes,
    exchange_codes,
    join_codes,
    relight_codes,
    same_codes,
)
from mmvireid.models.layers import kept_statistics
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES


@MODELS.register_module()
class HiCMD(AlternatingReID):
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
        erasing: Arguments of torchvision's ``RandomErasing``, for the images that identities are
            learned from.
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
        if (discriminator is None) == self.wants('adversarial'):
            raise InvalidValueError(
                f'HiCMD: `loss_weights.adversarial` is {loss_weights["adversarial"]} with '
                f'`discriminator` {discriminator}, expected a positive weight just with one.'
            )
        self.input_size, self.sampling = tuple(input_size), sampling
        self.cycle, self.own_style = cycle, own_style
        self.detach_fakes, self.num_unpaired = detach_fakes, num_unpaired
        self.group_passes = group_passes
        self.erase = RandomErasing(**(erasing or dict(p=0.0)))
        prototypes = self.add_twins('prototype_encoder', prototype_encoder)
        attributes = self.add_twins('attribute_encoder', attribute_encoder)
        sizes = dict(
            in_channels=prototypes.out_channels,
            code_size=attributes.block_size,
            num_blocks=attributes.num_blocks,
        )
        self.decoder = MODELS.build(with_sizes('HiCMD.decoder', decoder, **sizes))
        sized = [prototypes, self.decoder]
        if discriminator is None:
            self.updates = dict(generation_reid=self.updates['generation_reid'])
        else:
            sized.append(self.add_twins('discriminator', discriminator))
        for part in sized:
            part.check_size(self.input_size)
        sizes = dict(prototype_channels=prototypes.out_channels, style_size=attributes.style_size)
        sized_module = with_sizes('HiCMD.feature_module', feature_module, **sizes)
        self.feature_module = MODELS.build(sized_module)
        self.losses = nn.ModuleDict({kind: MODELS.build(cfg) for kind, cfg in losses.items()})

    def add_twins(self, name: str, cfg: dict) -> nn.Module:
        """Build a network for each modality, equal to begin with."""
        network = MODELS.build(cfg)
        self.add_module(f'visible_{name}', network)
        self.add_module(f'infrared_{name}', copy.deepcopy(network))
        return network

    def loss_discriminators(self, inputs: dict, data_samples: list, shared: dict) -> dict:
        """Step 1: ``<modality>_real``, ``<modality>_fake`` (of two fakes) and ``<modality>_r1``."""
        images, _ = split_singles(inputs, self.num_unpaired)
        # an update moves the statistics of those alone that it trains
        with torch.no_grad(), self.passing_by():
            real = self.encode_all(images)
            fakes = self.decode_all(exchange_codes(real) | relight_codes(real))
        judge, terms = self.losses['adversarial'], {}
        for modality in MODALITIES:
            image = images[modality].detach().requires_grad_()
            on_real = self.judge(image, modality)
            on_fakes = [self.judge(fakes[kind[modality]], modality) for kind in (FAKE, RELIT)]
            terms[f'{modality}_real'] = judge(on_real, real=True)
            terms[f'{modality}_fake'] = sum(judge(logits, real=False) for logits in on_fakes)
            terms[f'{modality}_r1'] = self.losses['r1'](on_real, image)
        return terms

    def loss_generation_reid(self, inputs: dict, data_samples: list, shared: dict) -> dict:
        """Step 2; terms of :meth:`generation_terms` and :meth:`identity_terms`, and ``alpha``."""
        labels = paired_labels(*self.cpu_labels(data_samples))
        pairs, with_singles = split_singles(inputs, self.num_unpaired)
        terms, made = self.generation_terms(pairs)
        fakes = {key: made[FAKE[key]] for key in MODALITIES}
        terms |= self.identity_terms(with_singles, fakes, labels)
        return terms | dict(alpha=unwrap(self.feature_module).mix.alpha)

    def generation_terms(self, images: dict[str, Tensor]) -> tuple[dict, dict[str, Tensor]]:
        """Encode, exchange codes, decode; encode and decode again.

        Terms, each the sum over both modalities: ``cross`` [Eq. 1], ``same`` [Eq. 2], ``cycle``
        [Eq. 3], ``code`` [Eq. 4], ``prior`` [Eq. 6], ``adversarial`` [Eq. 7].

        Returns:
            The terms, and the decoded images by name.
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
                    logits = self.judge(made[kind[modality]], modality)
                    terms['adversarial'] += self.losses['adversarial'](logits, real=True)
        return terms, made

    def there_and_back(self, images: dict[str, Tensor], relit: bool, same: bool) -> tuple:
        """Encode images of both modalities, decode them in exchange, and the same again.

        Args:
            images: Real images by modality, row i of both of the same person.
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
        made = self.decode_all(wanted)
        # the statistics that evaluation will use are those of real images
        with self.passing_by():
            fake = self.encode_all({key: made[FAKE[key]] for key in MODALITIES})
        return real, made, fake, self.decode_all(cycle_codes(real, fake, self.cycle))

    def identity_terms(self, images: dict, fakes: dict, labels: Tensor) -> dict:
        """Learn features of combined codes: terms ``identity`` [Eq. 8] and ``triplet`` [Eq. 9].

        Args:
            images: Real images by modality: pairs, then single ones.
            fakes: Fakes of the pairs by modality.
            labels: Identity of every pair, and of those that gave single images, on the CPU.
        """
        counts = self.sampling, len(labels) - 2 * self.num_unpaired, self.num_unpaired
        table, groups = combine_codes(*counts), self.check_groups(group_sizes(*counts))
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

    def check_groups(self, groups: Groups) -> Groups | None:
        """The groups that pass by themselves, ``None`` if all pass together."""
        if not self.group_passes:
            return None
        if min(groups.rows) < 2:
            raise InvalidValueError(
                f'HiCMD: `group_passes` is True with groups of {min(groups.rows)} image, expected '
                'at least 2 for BatchNorm to normalise: raise `num_unpaired`, or '
                '`train_dataloader.batch_sampler.num_ids` beyond 2 `num_unpaired` + 1.'
            )
        return groups

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
            images: By modality.
            erase: Whether a random part of them is erased.
            groups: How many images of each modality pass by themselves; ``None`` for all together.
        """
        if erase:
            images = {key: torch.stack([*map(self.erase, rows)]) for key, rows in images.items()}
        parts = {key: images[key].split(groups or len(images[key])) for key in MODALITIES}
        return {key: join_codes([self.encode(part, key) for part in parts[key]]) for key in parts}

    def encode(self, images: Tensor, modality: str) -> Codes:
        """Codes of N images of one modality, by its own encoders."""
        prototype_encoder = getattr(self, f'{modality}_prototype_encoder')
        attribute_encoder = getattr(self, f'{modality}_attribute_encoder')
        return Codes(prototype_encoder(images), *attribute_encoder(images))

    def encode_present(self, inputs: dict[str, Tensor]) -> Codes:
        """Codes of all images, visible first; one modality may be absent."""
        return join_codes([self.encode(inputs[key], key) for key in MODALITIES if key in inputs])

    def decode(self, codes: Codes) -> Tensor:
        """Images (N, 3, H, W) of codes, normalised as real ones are."""
        return self.decoder(codes)

    def decode_all(self, codes: dict[str, Codes]) -> dict[str, Tensor]:
        """Images by name, in one pass: nothing in the decoder looks across images."""
        sizes = [len(c.prototype) for c in codes.values()]
        return dict(zip(codes, self.decode(join_codes(list(codes.values()))).split(sizes)))

    def judge(self, images: Tensor, modality: str) -> tuple[Tensor, ...]:
        """Logits of a modality's discriminator."""
        return getattr(self, f'{modality}_discriminator')(images)

    def generate(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Pictures by title: images, decoded from their own codes, both fakes and the cycle's."""
        _, made, _, again = self.there_and_back(inputs, relit=True, same=True)
        columns = {}
        for key, other in BOTH_WAYS:
            columns |= {
                key: inputs[key],
                f'{key}, own codes': made[key],
                f'{key}, cycle': again[key],
                f'{other} person as {key}': made[FAKE[key]],
                f'{other} person relit': made[RELIT[key]],
            }
        return columns

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Features (N, D) of prototypes and styles, see :meth:`BaseReID.extract`."""
        codes = self.encode_present(inputs)
        return self.feature_module(codes.prototype, codes.style.flatten(1)).feature

    def extract_codes(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """All codes of every image by name, for analysis, as :class:`Codes` has them."""
        return self.encode_present(inputs)._asdict()

    def extract_maps(self, inputs: dict[str, Tensor]) -> Tensor:
        """Maps (N, C, h, w) whose means are the attributes, visible first; for analysis."""
        encoders = {key: getattr(self, f'{key}_attribute_encoder') for key in MODALITIES}
        return torch.cat(
            [encoders[key].extractor(inputs[key]) for key in MODALITIES if key in inputs]
        )
