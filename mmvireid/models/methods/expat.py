"""expAT: angles across the modalities, and a normalisation for each."""

from torch import Tensor

from mmvireid.models.base import BaseReID
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES, VISIBLE, ReIDDataSample


@MODELS.register_module()
class ExpAT(BaseReID):
    """expAT (Ye et al., "Bi-directional Exponential Angular Triplet Loss", TIP 2021).

    One iteration:

    1. embed both modalities by one network                  -> feature map (2PK, C, h, w)
    2. pool, and normalise each modality by itself           -> feature (2PK, D)
    3. classify all features by one classifier               -> logits (2PK, num_ids)
    4. identity term on the logits, angle term on the features

    Test: the feature after the neck of its modality, cosine similarity.

    Args:
        backbone: Config of the network.
        neck: Config of the neck, (map, images of each modality) -> (embedding, feature);
            ``in_channels`` is taken from the backbone.
        head: Config of the identity head; ``in_channels`` is taken from the backbone.
        identity_loss: Config of the loss on (logits, labels).
        angle_loss: Config of the loss on (features, labels, number of visible images).
        loss_weights: Weights of the terms ``identity`` and ``angle``.
        **kwargs: As in :class:`BaseReID`.
    """

    pair_terms = ('angle',)

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        identity_loss: dict,
        angle_loss: dict,
        loss_weights: dict[str, float | None],
        **kwargs,
    ) -> None:
        super().__init__(loss_weights, **kwargs)
        channels = self.add_part('backbone', backbone).out_channels
        self.add_part('neck', neck, in_channels=channels)
        self.add_part('head', head, in_channels=channels)
        self.identity_loss = MODELS.build(identity_loss)
        self.angle_loss = MODELS.build(angle_loss)

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms ``identity`` and ``angle``, see :meth:`BaseReID.loss`.

        Raises:
            ValueError: If an identity is alone in the batch or lacks a modality.
        """
        labels = self.gt_labels(data_samples)
        feature = self.extract(inputs)
        terms = dict(identity=self.identity_loss(self.head(feature), labels))
        if self.wants('angle'):
            terms['angle'] = self.angle_loss(feature, labels, len(inputs[VISIBLE]))
        return terms

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Features after the neck (N, D), see :meth:`BaseReID.extract`."""
        counts = [len(inputs.get(modality, ())) for modality in MODALITIES]
        _, feature = self.neck(self.backbone(inputs), counts)
        return feature
