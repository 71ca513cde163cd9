"""Triplet loss between the centres of two groups of images (X-Modality)."""

import torch
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance
from mmvireid.errors import InvalidValueError
from mmvireid.models.batches import ModalityCenters, modality_centers
from mmvireid.registry import MODELS

#: How centres are compared.
DISTANCES = ('euclidean', 'released')


def center_distances(centers: ModalityCenters, distance: str) -> Tensor:
    r"""Distance of every first centre from every second one.

    Args:
        centers: Centres in rows, of which an identity may have several, (Nv, D) each.
        distance: ``'euclidean'``, or ``'released'``: with the squared lengths exchanged,
            :math:`\|x_j\|^2 + \|y_i\|^2 - 2 x_i^\top y_j`, right on the diagonal alone.

    Returns:
        Shape (Nv, Nv).
    """
    first, second = centers.visible, centers.infrared
    if distance == 'euclidean':
        return pairwise_distance(first, second)
    with torch.autocast(first.device.type, enabled=False):
        square = first.square().sum(1) + second.square().sum(1, keepdim=True)
        return (square - 2 * first @ second.T).clamp(min=1e-12).sqrt()


def paired_center_triplet(
    features: Tensor,
    labels: Tensor,
    num_first: int,
    margin: float,
    distance: str = 'euclidean',
) -> Tensor:
    r"""Hinge on the distance of an identity's two centres and on the nearest of others.

    .. math::
        \frac1P \sum_k [m + D_{kk} - \min(\min_{j \ne k} D_{kj}, \min_{j \ne k} D_{jk})]_+

    :math:`D_{kj}` is the distance of the centre of k in the first group from that of j in the
    second. Symmetric in the groups.

    Source: X-Modality (Li et al., AAAI 2020), released code, which adds this up in both orders:
    twice the value.
    Deviation: as released, distances of different identities are wrong, by a missing ``keepdim``;
    ``distance='released'`` is that.

    Args:
        features: Features, those of the first group first, shape (N, D).
        labels: Identity of every image, int64, shape (N,). Every identity must be in both groups.
        num_first: How many of the images are in the first group.
        margin: The :math:`m` above, in units of the distance.
        distance: ``'euclidean'`` or ``'released'``.

    Returns:
        Mean over the identities, never negative, a scalar.

    Raises:
        ValueError: If a group is missing.
    """
    centers = modality_centers(features, labels, num_first)
    distances = center_distances(centers, distance)
    others = centers.labels[:, None] != centers.labels[None, :]
    negatives = torch.minimum(distances, distances.T).masked_fill(~others, torch.inf).amin(dim=1)
    hinge = (margin + distances.diagonal() - negatives).clamp(min=0)
    return (centers.weights * hinge).sum() / centers.weights.sum()


@MODELS.register_module()
class PairedCenterTripletLoss(nn.Module):
    """:func:`paired_center_triplet` as a module.

    Args:
        margin: Wanted gap between the two distances.
        distance: ``'euclidean'``, what was meant, or ``'released'``.

    Raises:
        ValueError: If ``distance`` is neither.
    """

    def __init__(self, margin: float = 0.5, distance: str = 'euclidean') -> None:
        super().__init__()
        if distance not in DISTANCES:
            raise InvalidValueError(
                f'PairedCenterTripletLoss: `distance` is {distance!r}, expected one of {DISTANCES}.'
            )
        self.margin, self.distance = margin, distance

    def forward(self, features: Tensor, labels: Tensor, num_first: int) -> Tensor:
        """Compute the loss.

        Args:
            features: Features, those of the first group first, not normalised, shape (N, D).
            labels: Identity of every image, int64, shape (N,).
            num_first: How many of them are in the first group.

        Returns:
            A scalar, never negative.
        """
        return paired_center_triplet(features, labels, num_first, self.margin, self.distance)
