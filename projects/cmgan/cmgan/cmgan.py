"""cmGAN: embeddings that do not tell the modality they came from."""

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.models.base import AlternatingReID
from mmvireid.models.batches import split_modalities
from mmvireid.models.layers import kept_statistics
from mmvireid.registry import MODELS
from mmvireid.structures import VISIBLE, ReIDDataSample


@MODELS.register_module()
class ModalityDiscriminator(BaseModule):
    """Three fully connected layers that tell the modality of an embedding.

    Args:
        in_channels: Size D of an embedding.
        hidden_channels: Width of the two hidden layers, with LeakyReLU (slope 0.2) behind each.

    Example:
        >>> import torch
        >>> ModalityDiscriminator(16, hidden_channels=8)(torch.rand(4, 16)).shape
        torch.Size([4, 1])
    """

    def __init__(
        self, in_channels: int, hidden_channels: int, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.layers = nn.Sequential(
            nn.Linear(in_channels, hidden_channels),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden_channels, hidden_channels),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden_channels, 1),
        )

    def forward(self, embedding: Tensor) -> Tensor:
        """Judge embeddings (N, D): logits (N, 1), positive for visible."""
        return self.layers(embedding)


@MODELS.register_module()
class CMGAN(AlternatingReID):
    """cmGAN (Dai et al., IJCAI 2018).

    One iteration:

    generator
        1. embed both modalities in one space            -> embedding, feature (2PK, D)
        2. identity loss on the features' logits, cross-modality triplet loss on the embeddings
        3. adversarial loss: the discriminator shall take every embedding for the other modality's
    discriminator
        4. tell the modality of the same embeddings, from which no gradient goes back

    Test: the feature after the BN-neck, cosine similarity.

    Args:
        backbone: Config of the two-stream network; with the neck it is the generator.
        neck: Config of the neck; ``in_channels`` is taken from the backbone.
        head: Config of the identity head; ``in_channels`` is taken from the backbone.
        discriminator: Config of the discriminator; ``in_channels`` is taken from the backbone.
        identity_loss: Config of the loss on (logits, labels).
        triplet_loss: Config of the loss on (embeddings, labels, number of visible images).
        adversarial_loss: Config of the loss on (discriminator's logits, what they should say).
        loss_weights: Weights of ``identity``, ``triplet`` and ``adversarial`` (generator) and of
            ``modality`` (discriminator).
        **kwargs: As in :class:`BaseReID`.
    """

    updates = dict(generator=('generator',), discriminator=('discriminator',))
    pair_terms = ('triplet',)
    diagnostics = ('modality_accuracy',)

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        discriminator: dict,
        identity_loss: dict,
        triplet_loss: dict,
        adversarial_loss: dict,
        loss_weights: dict[str, float | None],
        **kwargs,
    ) -> None:
        super().__init__(loss_weights, **kwargs)
        channels = self.add_part('backbone', backbone).out_channels
        self.add_part('neck', neck, in_channels=channels)
        self.add_part('head', head, in_channels=channels)
        self.add_part('discriminator', discriminator, in_channels=channels)
        self.identity_loss = MODELS.build(identity_loss)
        self.triplet_loss = MODELS.build(triplet_loss)
        self.adversarial_loss = MODELS.build(adversarial_loss)

    def loss_generator(
        self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample], shared: dict
    ) -> dict[str, Tensor]:
        """The generator's update: terms ``identity``, ``triplet`` and ``adversarial``."""
        labels, num_visible = self.gt_labels(data_samples), len(inputs[VISIBLE])
        embedding, feature = self.neck(self.backbone(inputs))
        shared['embedding'] = embedding.detach()
        terms = dict(
            identity=self.identity_loss(self.head(feature), labels),
            triplet=self.triplet_loss(embedding, labels, num_visible),
        )
        if self.wants('adversarial'):
            visible, infrared = split_modalities(self.discriminator(embedding), num_visible)
            terms['adversarial'] = self.modality_loss(infrared, visible)
        return terms

    def loss_discriminator(
        self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample], shared: dict
    ) -> dict[str, Tensor]:
        """The discriminator's update: term ``modality``, diagnostic ``modality_accuracy``."""
        if 'embedding' not in shared:  # in a stage where the generator's update is not before it
            with torch.no_grad(), kept_statistics(self):
                shared['embedding'], _ = self.neck(self.backbone(inputs))
        logits = self.discriminator(shared['embedding'])
        visible, infrared = split_modalities(logits, len(inputs[VISIBLE]))
        accuracy = ((visible > 0).float().mean() + (infrared <= 0).float().mean()) / 2
        return dict(modality=self.modality_loss(visible, infrared), modality_accuracy=accuracy)

    def modality_loss(self, taken_for_visible: Tensor, taken_for_infrared: Tensor) -> Tensor:
        """Mean over the modalities; ln 2 when the discriminator cannot tell them apart."""
        visible = self.adversarial_loss(taken_for_visible, real=True)
        infrared = self.adversarial_loss(taken_for_infrared, real=False)
        return (visible + infrared) / 2

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Features after the BN-neck (N, D), see :meth:`BaseReID.extract`."""
        _, feature = self.neck(self.backbone(inputs))
        return feature
