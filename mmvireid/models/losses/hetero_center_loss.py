"""Distance of the two centres of an identity."""

import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.models.batches import modality_centers
from mmvireid.registry import MODELS


def hetero_center(
    features: Tensor, labels: Tensor, num_visible: int, margin: float = 0.0
) -> Tensor:
    r"""Bring the two centres of every identity together.

    .. math::
        \sum_k [\|c_k^V - c_k^I\|^2 - m]_+

    Source: Hetero-centre loss (Zhu et al., Neurocomputing 2020); the margin is of its authors'
    code.

    Args:
        features: Features, visible images first, shape (N, D).
        labels: Identity of every image, int64, shape (N,). Every identity must have images of both
            modalities.
        num_visible: How many of the images are visible.
        margin: Squared distance :math:`m` that costs nothing.

    Returns:
        Sum over the identities of the batch, never negative, a scalar.

    Raises:
        ValueError: If a modality is missing.
    """
    centers = modality_centers(features, labels, num_visible)
    squared = (centers.visible - centers.infrared).square().sum(dim=1)  # (Nv,)
    return (centers.weights * (squared - margin).clamp(min=0)).sum()


@MODELS.register_module()
class HeteroCenterLoss(nn.Module):
    """:func:`hetero_center` as a module.

    Args:
        margin: Squared distance of two centres that costs nothing.
        normalize: Whether the features are L2-normalised first.
    """

    def __init__(self, margin: float = 0.0, normalize: bool = True) -> None:
        super().__init__()
        self.margin = margin
        self.normalize = normalize

    def forward(self, features: Tensor, labels: Tensor, num_visible: int) -> Tensor:
        """Compute the loss.

        Args:
            features: Features, visible images first, shape (N, D).
            labels: Identity of every image, int64, shape (N,).
            num_visible: How many of them are visible.

        Returns:
            A scalar, never negative; at most 4 for every identity if normalised.
        """
        if self.normalize:
            features = F.normalize(features, dim=1)
        return hetero_center(features, labels, num_visible, self.margin)
