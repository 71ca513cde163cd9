"""MSCMNet: four stems, and channels compared across the levels of the network."""

from torch import Tensor

from mmvireid.models.base import BaseReID
from mmvireid.registry import MODELS
from mmvireid.structures import VISIBLE, ReIDDataSample


@MODELS.register_module()
class MSCMNet(BaseReID):
    """MSCMNet (Pattern Recognition 2024).

    One iteration:

    1. see every drawn image twice (``data_preprocessor.views``)             -> 4PK images
    2. embed the views of each modality by stems of their own (``backbone.num_stems``), and all of
       them by one trunk with non-local blocks, whose layer3 attends to what was before it (MIMB,
       ``CrossLevelAttentionPlugin``)                          -> feature map (4PK, C, h, w)
    3. pool and normalise                                -> embedding, feature (4PK, D)
    4. identity term on the classified features
    5. center term on the embeddings: images are close to their identity in the other modality, and
       far from other identities (QCT)

    Test: the feature after the BN-neck, cosine similarity; an image goes through all stems of its
    modality, whose maps are averaged.

    Args:
        backbone: Config of the network.
        neck: Config of the neck; ``in_channels`` is taken from the backbone.
        head: Config of the identity head; ``in_channels`` is taken from the backbone.
        identity_loss: Config of the loss on (logits, labels).
        center_loss: Config of the loss on (embeddings, labels, number of visible images).
        loss_weights: Weights of the terms ``identity`` and ``center``.
        **kwargs: As in :class:`BaseReID`.
    """

    pair_terms = ('center',)

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        identity_loss: dict,
        center_loss: dict,
        loss_weights: dict[str, float | None],
        **kwargs,
    ) -> None:
        super().__init__(loss_weights, **kwargs)
        backbone = self.add_part('backbone', backbone)
        self.add_part('neck', neck, in_channels=backbone.out_channels)
        self.add_part('head', head, in_channels=backbone.out_channels)
        self.add_losses(dict(identity=identity_loss, center=center_loss))

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms ``identity`` and ``center``, see :meth:`BaseReID.loss`.

        Raises:
            ValueError: If an identity is alone in the batch or lacks a modality.
        """
        labels = self.gt_labels(data_samples)
        embedding, feature = self.neck(self.backbone(inputs))
        terms = dict(identity=self.losses['identity'](self.head(feature), labels))
        if self.wants('center'):
            terms['center'] = self.losses['center'](embedding, labels, len(inputs[VISIBLE]))
        return terms

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Features after the BN-neck (N, D), see :meth:`BaseReID.extract`."""
        return self.neck(self.backbone(inputs))[1]
