"""A loss of one's own, registered from outside the package."""

import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.models.losses import batch_hard_triplet
from mmvireid.registry import MODELS


@MODELS.register_module()
class CosineTripletLoss(nn.Module):
    """Batch-hard triplet loss on the cosine distance 1 - cos of the embeddings.

    Args:
        margin: Wanted gap, in units of the cosine distance [0, 2].
    """

    def __init__(self, margin: float = 0.3) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            embeddings: Shape (N, D).
            labels: Identity of every image, int64, shape (N,).

        Returns:
            A scalar, never negative.
        """
        unit = F.normalize(embeddings, dim=1)
        return batch_hard_triplet(1 - unit @ unit.T, labels, self.margin)
