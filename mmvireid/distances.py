"""Lengths and distances that both losses and ranking use."""

import math

import torch
from torch import Tensor

from mmvireid.errors import InvalidValueError

#: Lengths between these are computed without under- or overflow of the squares in float32.
_SHORTEST, _LONGEST = 1e-12, 1e18


def unit_rows(x: Tensor, out: Tensor | None = None) -> Tensor:
    r"""Divide every row by its length, at any scale that the type can hold.

    .. math::
        \hat x_i = x_i / \|x_i\|

    As ``torch.nn.functional.normalize``, to the last bit; but rows whose squares leave the range of
    float32 are not taken for zero, nor for infinite. Computed in float32 at least.

    Args:
        x: Finite rows, shape (N, D).
        out: Where the result goes, such as ``x`` itself.

    Returns:
        Rows of length 1, shape (N, D); a row of zeros stays one.

    Example:
        >>> unit_rows(torch.tensor([[3e30, 4e30], [3e-30, 4e-30], [0.0, 0.0]]))
        tensor([[0.6000, 0.8000],
                [0.6000, 0.8000],
                [0.0000, 0.0000]])
    """
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    length = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    # a GPU would be waited for with the question; there it is always done
    if x.device.type != 'cpu' or not ((length >= _SHORTEST) & (length <= _LONGEST)).all():
        largest = torch.linalg.vector_norm(x, torch.inf, dim=1, keepdim=True)
        x = torch.mul(x, power_of_two_scale(largest), out=out)  # exact
        length = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    return torch.div(x, length.clamp(min=_SHORTEST), out=out)


def power_of_two_scale(largest: Tensor) -> Tensor:
    """Factors, powers of two and hence exact, that bring positive values into [0.5, 1).

    Values that the type holds with fewer digits, in float32 below 2^-126, stay a little smaller.
    """
    smallest = int(math.log2(torch.finfo(largest.dtype).tiny))
    exponent = torch.frexp(largest).exponent.clamp(min=smallest)
    return torch.ldexp(torch.ones_like(largest), -exponent)


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


def row_distance(x: Tensor, y: Tensor, eps: float = 1e-12) -> Tensor:
    """Euclidean distance of every row of ``x`` from the same row of ``y``.

    Computed in float32 at least, also inside autocast.

    Args:
        x: Rows, shape (N, D).
        y: Rows, shape (N, D).
        eps: Lower bound of the squared distance, see :func:`pairwise_distance`.

    Returns:
        Distances, shape (N,).

    Example:
        >>> row_distance(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
        tensor([5.])
    """
    dtype = torch.promote_types(x.dtype, torch.float32)
    return (x.to(dtype) - y.to(dtype)).square().sum(dim=1).clamp(min=eps).sqrt()
