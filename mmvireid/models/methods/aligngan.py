"""AlignGAN: pixels and features of the two modalities, aligned by one joint discriminator."""

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.models.backbones import Analysis
from mmvireid.models.base import AlternatingReID
from mmvireid.models.batches import identity_shift
from mmvireid.models.layers import kept_statistics
from mmvireid.registry import MODELS
from mmvireid.structures import INFRARED, MODALITIES, VISIBLE

#: Infrared images, and their maps: photographed, or made by a generator.
KINDS = ('real', 'fake')


@MODELS.register_module()
class AlignGAN(AlternatingReID):
    r"""AlignGAN (Wang et al., ICCV 2019).

    One iteration of the joint stage (symbols of the paper in brackets); row i of a block's visible
    and of its infrared images shows the same person:

    1. ``reid``, on the feature block: translate visible to fake infrared images [X' = G_p(X_rgb)],
       map real and fake ones [M, M' by G_f], classify them, compare each set with the other, and
       let M' be taken for real                                             [Eqs. 5, 6, 10]
    2. ``generators``, on the pixel block: translate both ways and back; X' shall keep its identity
       in the eyes of the feature module, and be taken for real             [Eqs. 1 to 4, 9]
    3. ``visible_discriminator``: real against fake visible images
    4. ``joint_discriminator``: pairs (X, M) of one identity against (X of another identity, M),
       (X, M'), (X', M) and (X', M')                                        [Eqs. 7, 8]

    Stages before it: ``reid_warmup``, on real infrared images alone; ``generators_warmup`` against
    other discriminators, of images alone (``discriminators_warmup``).
    Test: the pooled map, of a visible image after translation; cosine similarity.

    What the paper leaves open, what the release does otherwise: ``configs/aligngan/README.md``.

    Args:
        input_size: Height and width of the images.
        feature_module: Config of the feature module [G_f, classifier, embedder].
        translator: Config of a generator [G_p], and of another for the way back [G_p'].
        image_discriminator: Config of a discriminator of images, of which three are built.
        joint_discriminator: Config of the joint discriminator [D_j]; ``feature_channels`` is taken
            from the feature module.
        losses: Config of the losses ``identity``, ``triplet`` and ``adversarial``.
        loss_weights: Weights of the terms, see the ``loss_...`` methods.
        pixel_pairs: Maps that a fake image is judged with [Eq. 9]: ``'real'``, ``'fake'``.
        feature_pairs: Images that a fake map is judged with [Eq. 10].
        **kwargs: As in :class:`BaseReID`.

    Raises:
        ValueError: If an argument is not allowed or the parts do not fit together.
    """

    blocks = ('feature', 'pixel')
    updates = dict(
        reid_warmup=('reid',),
        generators_warmup=('generators',),
        discriminators_warmup=('discriminators_warmup',),
        reid=('reid',),
        generators=('generators',),
        visible_discriminator=('visible_discriminator',),
        joint_discriminator=('joint_discriminator',),
    )
    pair_terms = ('triplet', 'pixel_triplet')

    def __init__(
        self,
        input_size: Sequence[int],
        feature_module: dict,
        translator: dict | None,
        image_discriminator: dict | None,
        joint_discriminator: dict | None,
        losses: dict[str, dict],
        loss_weights: dict[str, float | None],
        pixel_pairs: Sequence[str] = KINDS,
        feature_pairs: Sequence[str] = KINDS,
        **kwargs,
    ) -> None:
        super().__init__(loss_weights, **kwargs)
        for name, kinds in dict(pixel_pairs=pixel_pairs, feature_pairs=feature_pairs).items():
            if not kinds or not set(kinds) <= set(KINDS):
                raise InvalidValueError(
                    f'AlignGAN: `{name}` is {kinds!r}, expected some of {KINDS}.'
                )
        self.input_size = tuple(input_size)
        self.pixel_pairs, self.feature_pairs = pixel_pairs, feature_pairs
        channels = self.add_part('feature_module', feature_module).out_channels
        size = self.input_size
        self.add_part('visible_to_infrared', translator, size)
        self.add_part('infrared_to_visible', translator, size)
        self.add_twins('discriminator_warmup', image_discriminator, equal=False, image_size=size)
        self.add_part('visible_discriminator', image_discriminator, size)
        self.add_part('joint_discriminator', joint_discriminator, size, feature_channels=channels)
        self.add_losses(losses)

    def loss_reid_warmup(self, inputs: dict, data_samples: dict, shared: dict) -> dict:
        """Stage 1: terms ``identity`` and ``triplet`` of real infrared images among themselves."""
        labels = self.to_device(self.pair_labels(data_samples['feature']))
        real = self.feature_module(inputs['feature'][INFRARED])
        return dict(identity=self.identity(real, labels), triplet=self.triplet(real, real, labels))

    def loss_reid(self, inputs: dict, data_samples: dict, shared: dict) -> dict:
        """The feature module's update: ``identity``, ``triplet``, ``feature_adversarial``."""
        labels = self.to_device(self.pair_labels(data_samples['feature']))
        with torch.no_grad():
            fake_images = self.translate(inputs['feature'][VISIBLE])
        images = dict(real=inputs['feature'][INFRARED], fake=fake_images)
        # apart, so that each set is normalised by its own statistics
        real, fake = self.feature_module(images['real']), self.feature_module(images['fake'])
        terms = dict(
            identity=self.identity(real, labels) + self.identity(fake, labels),
            triplet=self.triplet(real, fake, labels) + self.triplet(fake, real, labels),
        )
        if self.wants('feature_adversarial'):
            maps = dict(real=real.feature_map, fake=fake.feature_map)
            logits = self.judge_maps(images, maps, shared)
            terms['feature_adversarial'] = self.losses['adversarial'](logits, real=True)
        return terms

    def loss_generators(self, inputs: dict, data_samples: dict, shared: dict) -> dict:
        """The pixel module's update in the joint stage; terms as in :meth:`pixel_terms`."""
        return self.pixel_terms(
            inputs, data_samples, shared, self.visible_discriminator, self.judge_images
        )

    def loss_generators_warmup(self, inputs: dict, data_samples: dict, shared: dict) -> dict:
        """The pixel module's update in stage 2; terms as in :meth:`pixel_terms`."""
        visible, infrared = self.visible_discriminator_warmup, self.infrared_discriminator_warmup
        return self.pixel_terms(
            inputs, data_samples, shared, visible, lambda images, maps: infrared(images)
        )

    def pixel_terms(
        self,
        inputs: dict,
        data_samples: dict,
        shared: dict,
        judge_visible: Callable[[Tensor], Tensor],
        judge_infrared: Callable[[Tensor, dict], Tensor],
    ) -> dict:
        """Translate both ways and back, and ask what became of the images.

        Terms: ``cycle``; ``pixel_identity`` and ``pixel_triplet``, of X' in the eyes of the feature
        module; ``visible_adversarial`` and ``infrared_adversarial``; ``identity_map`` (what is in
        the wanted modality already shall stay as it is). Leaves images and maps in ``shared``.
        """
        visible, infrared = (inputs['pixel'][key] for key in MODALITIES)
        cpu_labels = self.pair_labels(data_samples['pixel'])
        labels, fool = self.to_device(cpu_labels), self.losses['adversarial']
        there, back = self.visible_to_infrared, self.infrared_to_visible
        fake_infrared, fake_visible = there(visible), back(infrared)
        # normalised by the batch's own statistics, as in `reid`, which alone keeps them
        with kept_statistics(self.feature_module):
            real, fake = self.feature_module(infrared), self.feature_module(fake_infrared)
        maps = dict(real=real.feature_map.detach(), fake=fake.feature_map.detach())
        visible_again, infrared_again = back(fake_infrared), there(fake_visible)
        terms = dict(
            cycle=F.l1_loss(visible_again, visible) + F.l1_loss(infrared_again, infrared),
            pixel_identity=self.identity(fake, labels),
            pixel_triplet=self.triplet(fake, real, labels) + self.triplet(real, fake, labels),
            visible_adversarial=fool(judge_visible(fake_visible), real=True),
            infrared_adversarial=fool(judge_infrared(fake_infrared, maps), real=True),
        )
        if self.wants('identity_map'):
            same = F.l1_loss(back(visible), visible) + F.l1_loss(there(infrared), infrared)
            terms['identity_map'] = same
        shared.update(
            visible=dict(real=visible, fake=fake_visible.detach()),
            infrared=dict(real=infrared, fake=fake_infrared.detach()),
            maps=maps,
            shift=identity_shift(cpu_labels),
        )
        return terms

    def loss_discriminators_warmup(self, inputs: dict, data_samples: dict, shared: dict) -> dict:
        """Stage 2: ``visible_real``, ``visible_fake``, ``infrared_real`` and ``infrared_fake``."""
        terms = self.losses['adversarial'].terms
        return terms('visible', self.visible_discriminator_warmup, **shared['visible']) | terms(
            'infrared', self.infrared_discriminator_warmup, **shared['infrared']
        )

    def loss_visible_discriminator(self, inputs: dict, data_samples: dict, shared: dict) -> dict:
        """The discriminator of visible images: ``visible_real`` and ``visible_fake``."""
        adversarial = self.losses['adversarial']
        return adversarial.terms('visible', self.visible_discriminator, **shared['visible'])

    def loss_joint_discriminator(self, inputs: dict, data_samples: dict, shared: dict) -> dict:
        """The joint discriminator; terms ``joint_real`` and ``joint_fake`` (of four kinds)."""
        images, maps = shared['infrared'], shared['maps']
        other_identity = images['real'].roll(shared['shift'], dims=0)
        logits = self.judge_pairs(
            (images['real'], maps['real']),
            (other_identity, maps['real']),
            (images['real'], maps['fake']),
            (images['fake'], maps['real']),
            (images['fake'], maps['fake']),
        )
        real, *fakes = logits.split(len(other_identity))
        judge = self.losses['adversarial']
        return dict(joint_real=judge(real, True), joint_fake=judge(torch.cat(fakes), False))

    def judge_images(self, fake_images: Tensor, maps: Mapping[str, Tensor]) -> Tensor:
        """Logits (N, ...) of fake infrared images, each beside maps (N, C, h, w) of its person."""
        return self.judge_pairs(*((fake_images, maps[kind]) for kind in self.pixel_pairs))

    def judge_maps(self, images: Mapping[str, Tensor], maps: Mapping, shared: dict) -> Tensor:
        """Logits (N, ...) of fake maps, each beside images of its identity (N, 3, H, W)."""
        return self.judge_pairs(*((images[kind], maps['fake']) for kind in self.feature_pairs))

    def judge_pairs(self, *pairs: tuple[Tensor, Tensor]) -> Tensor:
        """Logits of pairs of N images and maps (N, C, h, w), in one pass: none sees another."""
        images, maps = zip(*pairs)
        return self.joint_discriminator(torch.cat(images), torch.cat(maps))

    def identity(self, analysis: Analysis, labels: Tensor) -> Tensor:
        """Identity loss, a scalar, of a set of images with labels (N,)."""
        return self.losses['identity'](analysis.logits, labels)

    def triplet(self, anchors: Analysis, others: Analysis, labels: Tensor) -> Tensor:
        """Triplet loss, a scalar, labels (N,); positives and negatives from another set [Eq. 3]."""
        return self.losses['triplet'](anchors.embedding, others.embedding, labels)

    def translate(self, images: Tensor) -> Tensor:
        """Visible to fake infrared images [G_p], both (N, 3, H, W)."""
        return self.visible_to_infrared(images)

    def generate(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Pictures (N, 3, H, W) by title: images of both modalities, translated, and back again."""
        there, back = self.visible_to_infrared, self.infrared_to_visible
        fake_infrared, fake_visible = there(inputs[VISIBLE]), back(inputs[INFRARED])
        return {
            'visible': inputs[VISIBLE],
            'fake infrared': fake_infrared,
            'visible again': back(fake_infrared),
            'infrared': inputs[INFRARED],
            'fake visible': fake_visible,
            'infrared again': there(fake_visible),
        }

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Pooled maps (N, C), of visible images after translation; see :meth:`BaseReID.extract`."""
        images = dict(inputs)
        if VISIBLE in images:
            images[VISIBLE] = self.translate(images[VISIBLE])
        stacked = torch.cat([images[key] for key in MODALITIES if key in images])
        return self.feature_module(stacked).feature
