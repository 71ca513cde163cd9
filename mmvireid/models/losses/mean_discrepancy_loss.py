"""Whether two groups of vectors have the same law."""

import torch
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance, unit_rows
from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS


def mean_discrepancy(x: Tensor, y: Tensor, num_kernels: int = 5) -> Tensor:
    r"""Squared maximum mean discrepancy with Gaussian kernels of several widths.

    .. math::
        \overline{k(x, x)} + \overline{k(y, y)} - \overline{k(x, y)} - \overline{k(y, x)}, \quad
        k(a, b) = \sum_{i=0}^{n-1} \exp\frac{-\|a - b\|^2}{2^i\, \bar d\, / 2^{\lfloor n/2 \rfloor}}

    with :math:`\bar d` the mean squared distance between any two different vectors of both groups,
    without a gradient. Means are over all pairs, a vector with itself too (the biased estimate).

    Source: Gretton et al., JMLR 2012; five kernels as in DNS (ECCV 2024), released code.

    Args:
        x: Vectors of one group, shape (N, D).
        y: Of the other, shape (M, D); together at least two different ones.
        num_kernels: Number n of kernels.

    Returns:
        0 for equal groups, never negative but for rounding, a scalar.

    Example:
        >>> x = torch.tensor([[0.0], [1.0]])
        >>> mean_discrepancy(x, x), mean_discrepancy(x, x + 9) > 1
        (tensor(0.), tensor(True))
    """
    rows = torch.cat([x, y])
    squared = pairwise_distance(rows, rows, squared=True, eps=0.0)
    squared = squared - torch.diag(squared.diagonal())  # rounding
    mean = squared.detach().sum() / (len(rows) * (len(rows) - 1))
    width = mean / 2 ** (num_kernels // 2)
    kernel = sum((-squared / (width * 2**i)).exp() for i in range(num_kernels))  # (N + M, N + M)
    own, other = kernel.split([len(x), len(y)])
    own_x, across = own.split([len(x), len(y)], dim=1)
    back, own_y = other.split([len(x), len(y)], dim=1)
    return own_x.mean() + own_y.mean() - across.mean() - back.mean()


@MODELS.register_module()
class MeanDiscrepancyLoss(nn.Module):
    """:func:`mean_discrepancy` as a module.

    Args:
        num_kernels: Number of kernels, each twice as wide as the one before.
        normalize: Whether the vectors are L2-normalised first.

    Raises:
        ValueError: If there is no kernel.
    """

    def __init__(self, num_kernels: int = 5, normalize: bool = True) -> None:
        super().__init__()
        if num_kernels < 1:
            raise InvalidValueError(
                f'MeanDiscrepancyLoss: `num_kernels` is {num_kernels}, expected at least 1.'
            )
        self.num_kernels, self.normalize = num_kernels, normalize

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            x: Vectors of one group, shape (N, D).
            y: Of the other, shape (M, D).

        Returns:
            A scalar, never negative but for rounding.
        """
        if self.normalize:
            x, y = unit_rows(x), unit_rows(y)
        return mean_discrepancy(x, y, self.num_kernels)
