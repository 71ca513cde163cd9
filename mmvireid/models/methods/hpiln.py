"""HPILN's loss: the hardest triplets of the batch, and those across the modalities."""

from torch import Tensor

from mmvireid.registry import MODELS
from mmvireid.structures import VISIBLE, ReIDDataSample

from .agw import AGW


@MODELS.register_module()
class HPILN(AGW):
    """The hard pentaplet loss of HPILN (Zhao et al., IET Image Processing 2019), on AGW's network.

    One iteration is that of :class:`AGW` with batch-hard triplets, the "global" ones, which ignore
    the modalities, and one more term on the same embeddings: batch-hard triplets of the other
    modality's images, the "cross-modality" ones. An anchor with two positives and two negatives are
    the five images of a pentaplet.

    Test: as AGW.

    Args:
        cross_triplet_loss: Config of the loss on (embeddings, labels, number of visible images).
        **kwargs: As in :class:`AGW`; ``loss_weights`` has ``cross_triplet`` too.
    """

    pair_terms = ('triplet', 'cross_triplet')

    def __init__(self, cross_triplet_loss: dict, **kwargs) -> None:
        super().__init__(**kwargs)
        self.cross_triplet_loss = MODELS.build(cross_triplet_loss)

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms ``identity``, ``triplet`` and ``cross_triplet``.

        Raises:
            ValueError: If an identity is alone in the batch or lacks a modality.
        """
        labels, num_visible = self.gt_labels(data_samples), len(inputs[VISIBLE])
        embedding, feature = self.neck(self.backbone(inputs))
        return dict(
            identity=self.identity_loss(self.head(feature), labels),
            triplet=self.triplet_loss(embedding, labels),
            cross_triplet=self.cross_triplet_loss(embedding, labels, num_visible),
        )
