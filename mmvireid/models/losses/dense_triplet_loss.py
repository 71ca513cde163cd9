"""Triplets at every position of a feature map (LbA)."""

import torch
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

#: Added to differences, so that their length has a gradient where they are zero; as released.
EPS = 1e-6


def dense_triplet(
    maps: Tensor, positives: Tensor, negatives: Tensor, attention: Tensor, margin: float
) -> Tensor:
    r"""Hinge on the distances of the vectors at each position, weighed by attention.

    .. math::
        \frac{1}{N h w} \sum_{i, p} a_{ip}\,
        [m + \|x_{ip} - x^+_{ip}\| - \|x_{ip} - x^-_{ip}\|]_+

    Source: LbA (Park et al., ICCV 2021), the paper's form, image by image.
    Deviation: the release runs in PyTorch up to 1.9 alone, where it multiplies every image's
    hinges by every image's attention.

    Args:
        maps: Shape (N, C, h, w).
        positives: Made again of images of the same identity, shape (N, C, h, w).
        negatives: Made again of images of another one, shape (N, C, h, w).
        attention: Weight of each position, shape (N, h, w).
        margin: The :math:`m` above, in units of the distance.

    Returns:
        A scalar, never negative.

    Raises:
        ValueError: If the shapes do not fit together.
    """
    if not maps.shape == positives.shape == negatives.shape or attention.shape != maps[:, 0].shape:
        shapes = [tuple(x.shape) for x in (maps, positives, negatives, attention)]
        raise InvalidValueError(
            f'dense_triplet: `maps`, `positives`, `negatives` and `attention` have the shapes '
            f'{shapes}, expected (N, C, h, w) three times and (N, h, w).'
        )
    positive, negative = (
        torch.linalg.vector_norm(maps - other + EPS, dim=1) for other in (positives, negatives)
    )
    return (attention * (margin + positive - negative).clamp(min=0)).mean()


@MODELS.register_module()
class DenseTripletLoss(nn.Module):
    """:func:`dense_triplet` as a module.

    Args:
        margin: Wanted gap between the two distances.
    """

    def __init__(self, margin: float = 0.3) -> None:
        super().__init__()
        self.margin = margin

    def forward(
        self, maps: Tensor, positives: Tensor, negatives: Tensor, attention: Tensor
    ) -> Tensor:
        """Compute the loss.

        Args:
            maps: Shape (N, C, h, w).
            positives: Made again of images of the same identity, shape (N, C, h, w).
            negatives: Made again of images of another one, shape (N, C, h, w).
            attention: Weight of each position, shape (N, h, w).

        Returns:
            A scalar, never negative.
        """
        return dense_triplet(maps, positives, negatives, attention, self.margin)
