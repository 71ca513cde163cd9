"""Triplet loss with a learned centre per identity."""

import torch
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance
from mmvireid.registry import MODELS

from .batch_hard_triplet_loss import batch_hard_triplet


def triplet_center(features: Tensor, centers: Tensor, labels: Tensor, margin: float) -> Tensor:
    r"""Hinge on the own and on the nearest other centre of every image.

    .. math::
        \frac1N \sum_i [m + D(x_i, c_{y_i}) - \min_{j \ne y_i} D(x_i, c_j)]_+,\quad
        D(x, c) = \tfrac12 \|x - c\|^2

    Source: Triplet-centre loss (He et al., CVPR 2018).

    Args:
        features: Features, shape (N, D).
        centers: Centre of every training identity, shape (C, D).
        labels: Identity index of every image, int64 in [0, C), shape (N,).
        margin: The :math:`m` above, in units of D.

    Returns:
        Mean over the N images, never negative, a scalar.
    """
    distances = pairwise_distance(features, centers, squared=True, eps=0.0) / 2  # (N, C)
    identities = torch.arange(len(centers), device=labels.device)
    return batch_hard_triplet(distances, labels, margin, identities)


@MODELS.register_module()
class TripletCenterLoss(nn.Module):
    """:func:`triplet_center` with the centres that it learns, the same for both modalities.

    The centres usually have a larger learning rate than the network (0.1 in the original), which
    the optimiser wrapper's ``paramwise_cfg`` gives them by the key ``centers``.

    Args:
        num_ids: Number of training identities, C.
        in_channels: Feature size, D.
        margin: Wanted gap between half the squared distances from the nearest other centre and
            from the own one. Features are not normalised: on the unit sphere no gap exceeds 2.

    Attributes:
        centers (nn.Parameter): The centres, drawn from N(0, 0.01²), shape (C, D).
    """

    def __init__(self, num_ids: int, in_channels: int, margin: float = 5.0) -> None:
        super().__init__()
        self.margin = margin
        self.centers = nn.Parameter(0.01 * torch.randn(num_ids, in_channels))

    def forward(self, features: Tensor, labels: Tensor, num_visible: int) -> Tensor:
        """Compute the loss.

        Args:
            features: Features, not normalised, shape (N, D).
            labels: Identity index of every image, int64 in [0, C), shape (N,).
            num_visible: Not used; every loss on centres or across modalities is called alike.

        Returns:
            A scalar, never negative.
        """
        return triplet_center(features, self.centers, labels, self.margin)
