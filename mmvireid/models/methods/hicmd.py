"""Hi-CMD: who somebody is, told apart from pose and illumination by exchanging them."""

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.transforms import RandomErasing

from mmvireid.models.base import AlternatingReID
from mmvireid.models.generators import Codes, join_codes
from mmvireid.registry import MODELS
from mmvireid.structures import INFRARED, MODALITIES, VISIBLE, ReIDDataSample
from mmvireid.utils import FAKE, combine_codes, kept_statistics, paired_labels

#: A modality and the other one, for what is done both ways.
BOTH_WAYS = ((VISIBLE, INFRARED), (INFRARED, VISIBLE))
#: The second kind of fakes: only the illumination is the real image's, the pose stays.
RELIT = {modality: f'relit_{modality}' for modality in MODALITIES}
#: What Eq. 3 may take from fakes.
CYCLES = ('all', 'prototype')


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

    def __init__(
        self,
        input_size: Sequence[int],
        prototype_encoder: dict,
        attribute_encoder: dict,
        decoder: dict,
        discriminator: dict | None,
        feature_module: dict,
        losses: dict[str, dict],
        loss_weights: dict[str, float],
        sampling: str = 'alternate',
        cycle: str = 'all',
        own_style: bool = True,
        detach_fakes: bool = True,
        num_unpaired: int = 0,
        erasing: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(loss_weights, **kwargs)
        combine_codes(sampling, num_pairs=1)  # so that a wrong name is known now
        if cycle not in CYCLES or num_unpaired < 0:
            raise ValueError(
                f'HiCMD: `cycle` is {cycle!r} and `num_unpaired` {num_unpaired}, expected one of '
                f'{CYCLES}, and at least 0.'
            )
        self.input_size, self.sampling, self.num_unpaired = (
            tuple(input_size),
            sampling,
            num_unpaired,
        )
        self.cycle, self.own_style, self.detach_fakes = cycle, own_style, detach_fakes
        self.erase = RandomErasing(**(erasing or dict(p=0.0)))
        prototypes = self.add_twins('prototype_encoder', prototype_encoder)
        attributes = self.add_twins('attribute_encoder', attribute_encoder)
        self.decoder = self.build_decoder(decoder, prototypes, attributes)
        sized = [prototypes, self.decoder]
        if discriminator is not None:
            sized.append(self.add_twins('discriminator', discriminator))
        else:
            self.updates = dict(generation_reid=self.updates['generation_reid'])
        if (discriminator is None) == self.wants('adversarial'):
            raise ValueError(
                f'HiCMD: `loss_weights.adversarial` is {loss_weights["adversarial"]} with '
                f'`discriminator` {discriminator}, expected a positive weight just with one.'
            )
        for part in sized:
            part.check_size(self.input_size)
        sizes = dict(prototype_channels=prototypes.out_channels, style_size=attributes.style_size)
        self.feature_module = MODELS.build(feature_module | sizes)
        self.losses = nn.ModuleDict({kind: MODELS.build(cfg) for kind, cfg in losses.items()})

    def add_twins(self, name: str, cfg: dict) -> nn.Module:
        """Build a network for each modality, equal to begin with."""
        network = MODELS.build(cfg)
        self.add_module(f'visible_{name}', network)
        self.add_module(f'infrared_{name}', copy.deepcopy(network))
        return network

    @staticmethod
    def build_decoder(decoder: dict, prototypes: nn.Module, attributes: nn.Module) -> nn.Module:
        """Build the decoder of what the encoders give; refuse any other sizes."""
        sizes = dict(
            in_channels=prototypes.out_channels,
            code_size=attributes.block_size,
            num_blocks=attributes.num_blocks,
        )
        asked = {key: decoder[key] for key in sizes if key in decoder}
        if asked != {key: sizes[key] for key in asked}:
            raise ValueError(
                f'HiCMD: `decoder` has {asked}, expected {sizes}, what the encoders give: change '
                '`prototype_encoder` and `attribute_encoder` instead.'
            )
        return MODELS.build(decoder | sizes)

    def loss_discriminators(self, inputs: dict, data_samples: list, shared: dict) -> dict:
        """Step 1: ``<modality>_real``, ``<modality>_fake`` (of two fakes) and ``<modality>_r1``."""
        images = self.pairs_of(inputs)
        # an update moves the statistics of those alone that it trains
        with torch.no_grad(), kept_statistics(self):
            fakes = self.decode_all(self.fake_codes(self.encode_all(images)))
        judge, terms = self.losses['adversarial'], {}
        for modality in MODALITIES:
            real = images[modality].detach().requires_grad_()
            on_real = self.judge(real, modality)
            on_fakes = [self.judge(fakes[kind[modality]], modality) for kind in (FAKE, RELIT)]
            terms[f'{modality}_real'] = judge(on_real, real=True)
            terms[f'{modality}_fake'] = sum(judge(logits, real=False) for logits in on_fakes)
            terms[f'{modality}_r1'] = self.losses['r1'](on_real, real)
        return terms

    def loss_generation_reid(
        self, inputs: dict, data_samples: list[ReIDDataSample], shared: dict
    ) -> dict:
        """Step 2; terms of :meth:`generation_terms` and :meth:`identity_terms`."""
        labels = paired_labels(*self.cpu_labels(data_samples))
        terms, made = self.generation_terms(self.pairs_of(inputs))
        return terms | self.identity_terms(inputs, made, labels)

    def generation_terms(self, images: dict[str, Tensor]) -> tuple[dict, dict[str, Tensor]]:
        """Encode, exchange codes, decode; encode and decode again.

        Terms, each the sum over both modalities: ``cross`` [Eq. 1], ``same`` [Eq. 2], ``cycle``
        [Eq. 3], ``code`` [Eq. 4], ``prior`` [Eq. 6], ``adversarial`` [Eq. 7].

        Returns:
            The terms, and the decoded images by name.
        """
        real = self.encode_all(images)
        made = self.decode_all(self.fake_codes(real) | self.same_codes(real))
        # the statistics that evaluation will use are those of real images
        with kept_statistics(self):
            fake = self.encode_all({key: made[FAKE[key]] for key in MODALITIES})
        again = self.decode_all(self.cycle_codes(real, fake))
        terms = dict.fromkeys(('cross', 'same', 'cycle', 'code', 'prior', 'adversarial'), 0.0)
        for modality, other in BOTH_WAYS:
            image, own = images[modality], real[modality]
            terms['cross'] += F.l1_loss(made[FAKE[modality]], image)
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

    @staticmethod
    def fake_codes(real: dict[str, Codes]) -> dict[str, Codes]:
        """Codes of both fakes of each modality: the other's person, shown as the real image."""
        codes = {}
        for modality, other in BOTH_WAYS:
            codes[FAKE[modality]] = real[other].shown_as(real[modality])
            codes[RELIT[modality]] = real[other]._replace(illumination=real[modality].illumination)
        return codes

    def same_codes(self, real: dict[str, Codes]) -> dict[str, Codes]:
        """Codes that shall give the real images [Eq. 2]."""
        if self.own_style:
            return real
        return {key: real[key]._replace(style=real[other].style) for key, other in BOTH_WAYS}

    def cycle_codes(self, real: dict[str, Codes], fake: dict[str, Codes]) -> dict[str, Codes]:
        """Codes that shall give the real images again, by way of the fakes [Eq. 3].

        A modality's person is in the fake of the other modality, its pose and illumination are in
        the fake of its own.
        """
        if self.cycle == 'all':
            return {key: fake[other].shown_as(fake[key]) for key, other in BOTH_WAYS}
        return {
            key: fake[other]._replace(style=real[other].style).shown_as(real[key])
            for key, other in BOTH_WAYS
        }

    def identity_terms(self, inputs: dict, made: dict[str, Tensor], labels: Tensor) -> dict:
        """Learn features of combined codes: terms ``identity`` [Eq. 8] and ``triplet`` [Eq. 9].

        Args:
            inputs: Real images of both modalities.
            made: Fakes of the pairs by name.
            labels: Identity of every row of a modality, on the CPU.
        """
        parts = self.encode_all(self.singled(inputs), erase=True)
        if self.sampling != 'original':
            fakes = {key: made[FAKE[key]] for key in MODALITIES}
            if self.detach_fakes:
                fakes = {key: images.detach() for key, images in fakes.items()}
            with kept_statistics(self):
                parts |= {FAKE[key]: c for key, c in self.encode_all(fakes, erase=True).items()}
        codes = join_codes(list(parts.values()))
        table = combine_codes(self.sampling, len(labels) - 2 * self.num_unpaired, self.num_unpaired)
        found = self.feature_module(
            codes.prototype,
            codes.style.flatten(1),
            self.to_device(table.prototypes),
            self.to_device(table.styles),
        )
        labels = self.to_device(labels[table.people])
        anchors = slice(len(labels) - 2 * self.num_unpaired)
        embedding = found.embedding
        return dict(
            identity=self.losses['identity'](found.logits, labels),
            triplet=self.losses['triplet'](embedding[anchors], labels[anchors], embedding, labels),
        )

    def pairs_of(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """The pairs of a batch, without those that give single images."""
        count = len(inputs[VISIBLE]) - 2 * self.num_unpaired
        if count < 1:
            raise ValueError(
                f'HiCMD: `num_unpaired` is {self.num_unpaired}, expected less than half of the '
                f'{len(inputs[VISIBLE])} pairs of a batch.'
            )
        return {key: images[:count] for key, images in inputs.items()}

    def singled(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """The pairs, then U visible images of some people and U infrared ones of others."""
        if self.num_unpaired == 0:
            return inputs
        visible, infrared = inputs[VISIBLE], inputs[INFRARED]
        count = len(visible) - 2 * self.num_unpaired
        alone = infrared[count + self.num_unpaired :]
        return {
            VISIBLE: visible[: count + self.num_unpaired],
            INFRARED: torch.cat([infrared[:count], alone]),
        }

    def encode_all(self, images: dict[str, Tensor], erase: bool = False) -> dict[str, Codes]:
        """Codes of images of both modalities, a random part of them erased if wanted."""
        if erase:
            images = {key: torch.stack([*map(self.erase, rows)]) for key, rows in images.items()}
        return {key: self.encode(images[key], key) for key in MODALITIES}

    def encode(self, images: Tensor, modality: str) -> Codes:
        """Codes of N images of one modality, by its own encoders."""
        prototype_encoder = getattr(self, f'{modality}_prototype_encoder')
        attribute_encoder = getattr(self, f'{modality}_attribute_encoder')
        return Codes(prototype_encoder(images), *attribute_encoder(images))

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
        real = self.encode_all(inputs)
        made = self.decode_all(self.fake_codes(real) | self.same_codes(real))
        fake = self.encode_all({key: made[FAKE[key]] for key in MODALITIES})
        again = self.decode_all(self.cycle_codes(real, fake))
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
        codes = join_codes([self.encode(inputs[key], key) for key in MODALITIES if key in inputs])
        return self.feature_module(codes.prototype, codes.style.flatten(1)).feature
