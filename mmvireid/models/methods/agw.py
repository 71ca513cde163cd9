"""AGW, the common baseline of visible-infrared person re-identification."""

from torch import Tensor

from mmvireid.models.base import BaseReID
from mmvireid.registry import MODELS
from mmvireid.structures import ReIDDataSample


@MODELS.register_module()
class AGW(BaseReID):
    """AGW (Ye et al., TPAMI 2021), cross-modality version.

    One iteration:

    1. embed both modalities: own stem each, shared trunk    -> feature map (2PK, C, h, w)
    2. pool and normalise                                    -> embedding, feature (2PK, D)
    3. classify the features                                 -> logits (2PK, num_ids)
    4. identity loss on the logits + triplet loss on the embeddings

    Test: the feature after the BN-neck, cosine similarity.

    The ``base`` variant of the release is the same class with average pooling, batch-hard
    triplets and no non-local blocks: ``configs/agw/agw-base_sysu.py``.

    Args:
        backbone: Config of the two-stream network.
        neck: Config of the neck; ``in_channels`` is taken from the backbone.
        head: Config of the identity head; ``in_channels`` is taken from the backbone.
        identity_loss: Config of the loss on (logits, labels).
        triplet_loss: Config of the loss on (embeddings, labels).
        loss_weights: Weights of the terms ``identity`` and ``triplet``.
        **kwargs: As in :class:`BaseReID`.
    """

    pair_terms = ('triplet',)

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        identity_loss: dict,
        triplet_loss: dict,
        loss_weights: dict[str, float | None],
        **kwargs,
    ) -> None:
        super().__init__(loss_weights, **kwargs)
        channels = self.add_part('backbone', backbone).out_channels
        self.add_part('neck', neck, in_channels=channels)
        self.add_part('head', head, in_channels=channels)
        self.identity_loss = MODELS.build(identity_loss)
        self.triplet_loss = MODELS.build(triplet_loss)

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms ``identity`` and ``triplet``, see :meth:`BaseReID.loss`.

        Raises:
            ValueError: If an identity is alone in the batch or lacks a modality.
        """
        labels = self.gt_labels(data_samples)
        embedding, feature = self.neck(self.backbone(inputs))
        terms = dict(identity=self.identity_loss(self.head(feature), labels))
        if self.wants('triplet'):
            terms['triplet'] = self.triplet_loss(embedding, labels)
        return terms

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Features after the BN-neck (N, D), see :meth:`BaseReID.extract`."""
        _, feature = self.neck(self.backbone(inputs))
        return feature
