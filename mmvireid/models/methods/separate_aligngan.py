"""What AlignGAN is compared with: its parts without the joint discriminator."""

from collections.abc import Mapping

from torch import Tensor

from mmvireid.registry import MODELS

from .aligngan import AlignGAN


@MODELS.register_module()
class SeparateAlignGAN(AlignGAN):
    """Variants of AlignGAN that judge images and maps apart (Sec. 4.5 and Fig. 2 of the paper).

    - *AlignGAN-*: a discriminator of infrared images and one of feature maps take the place of the
      joint one;
    - *FeatAlign*, without a ``translator``: the feature module sees visible images as they are;
    - *Basel.*, without a ``feature_discriminator`` too: identity and triplet losses alone.

    Args:
        translator: As in :class:`AlignGAN`, ``None`` for no translation.
        image_discriminator: As in :class:`AlignGAN`; needed just with a ``translator``.
        feature_discriminator: Config of the discriminator of feature maps, ``None`` for none;
            ``in_channels`` is taken from the feature module.
        loss_weights: As in :class:`AlignGAN`, with ``feature_real`` and ``feature_fake``.
        **kwargs: As in :class:`AlignGAN`, with ``joint_discriminator=None``.

    Raises:
        ValueError: If ``loss_weights`` wants features aligned without a discriminator, or has one
            without wanting it.
    """

    updates = dict(
        AlignGAN.updates,
        infrared_discriminator=('infrared_discriminator',),
        feature_discriminator=('feature_discriminator',),
    )

    def __init__(
        self,
        translator: dict | None,
        image_discriminator: dict | None,
        feature_discriminator: dict | None,
        loss_weights: dict[str, float | None],
        **kwargs,
    ) -> None:
        judge = image_discriminator if translator else None
        super().__init__(
            translator=translator,
            image_discriminator=judge,
            loss_weights=loss_weights,
            **kwargs,
        )
        self.check_needed_by('feature_adversarial', feature_discriminator=feature_discriminator)
        self.add_part('infrared_discriminator', judge, image_size=self.input_size)
        channels = self.feature_module.out_channels
        self.add_part('feature_discriminator', feature_discriminator, in_channels=channels)
        absent = {'joint_discriminator'}
        if not translator:
            absent |= {name for name in self.updates if not name.startswith(('reid', 'feature'))}
            self.blocks = ('feature',)
        if not feature_discriminator:
            absent.add('feature_discriminator')
        self.updates = {key: value for key, value in self.updates.items() if key not in absent}

    def translate(self, images: Tensor) -> Tensor:
        """Visible to fake infrared images, or as they are without a translator."""
        return super().translate(images) if 'generators' in self.updates else images

    def judge_images(self, fake_images: Tensor, maps: Mapping[str, Tensor]) -> Tensor:
        """Logits (N, ...) of fake infrared images."""
        return self.infrared_discriminator(fake_images)

    def judge_maps(self, images: Mapping, maps: Mapping[str, Tensor], shared: dict) -> Tensor:
        """Logits (N, ...) of fake maps; leaves the maps for their discriminator."""
        shared['feature'] = {kind: feature_map.detach() for kind, feature_map in maps.items()}
        return self.feature_discriminator(maps['fake'])

    def loss_infrared_discriminator(self, inputs: dict, data_samples: dict, shared: dict) -> dict:
        """The discriminator of infrared images: ``infrared_real`` and ``infrared_fake``."""
        adversarial = self.losses['adversarial']
        return adversarial.terms('infrared', self.infrared_discriminator, **shared['infrared'])

    def loss_feature_discriminator(self, inputs: dict, data_samples: dict, shared: dict) -> dict:
        """The discriminator of feature maps: ``feature_real`` and ``feature_fake``."""
        adversarial = self.losses['adversarial']
        return adversarial.terms('feature', self.feature_discriminator, **shared['feature'])
