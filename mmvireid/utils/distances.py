"""The distance that both losses and ranking use."""

import torch
from torch import Tensor

from mmvireid.errors import InvalidValueError


def pairwise_distance(x: Tensor, y: Tensor, squared: bool = False, eps: float = 1e-12) -> Tensor:
    r"""Euclidean distance of every row of ``x`` from every row of ``y``.

    .. math::
        d_{ij} = \sqrt{\max(\|x_i\|^2 + \|y_j\|^2 - 2 x_i^\top y_j,\ \epsilon)}

    The expanded form costs one matrix product and no (N, M, D) tensor. It is computed in float32
    at least, also inside autocast: in half precision its subtraction would cancel every digit.

    Args:
        x: Rows, shape (N, D).
        y: Rows, shape (M, D).
        squared: Leave the square root out.
        eps: Lower bound of the squared distance, >= 0. A positive one keeps the root's gradient
            finite at d = 0, where it becomes zero.

    Returns:
        Distances, at least ``sqrt(eps)`` (``eps`` if ``squared``), shape (N, M).

    Raises:
        ValueError: If the two are not matrices of the same width.

    Example:
        >>> pairwise_distance(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
        tensor([[5.]])
    """
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise InvalidValueError(
            f'pairwise_distance: `x` and `y` have shapes {tuple(x.shape)} and {tuple(y.shape)}, '
            'expected (N, D) and (M, D).'
        )
    with torch.autocast(x.device.type, enabled=False):
        dtype = torch.promote_types(x.dtype, torch.float32)
        x, y = x.to(dtype), y.to(dtype)
        square = x.square().sum(1, keepdim=True) + y.square().sum(1)
        square = torch.addmm(square, x, y.T, alpha=-2).clamp(min=eps)
    return square if squared else square.sqrt()
