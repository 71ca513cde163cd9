"""Alignment of two feature maps, position by position."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Alignment(NamedTuple):
    """Maps, made again of those of their partners.

    Attributes:
        maps: Each map where nothing stands out, its partner's matching positions elsewhere, shape
            (N, C, h, w).
        attention: How much each position stands out in both, in [0, 1], without a gradient, shape
            (N, h, w).
    """

    maps: Tensor
    attention: Tensor


def align(maps: Tensor, partners: Tensor, sharpness: float = 50.0) -> Alignment:
    r"""Make maps again of those of their partners.

    .. math::
        A_{pq} = \operatorname{softmax}_q\, s \cos(x_p, y_q), \quad
        \hat x_p = m_p \textstyle\sum_q A_{pq}\, y_q + (1 - m_p)\, x_p, \quad
        a_p = \mathrm{unit}(m_p \textstyle\sum_q A_{pq}\, n_q)

    :math:`x_p` is the vector of a map at a position, :math:`y_q` of its partner; the masks
    :math:`m` and :math:`n` of the two are :func:`saliency`, and :math:`\mathrm{unit}` takes each
    image's least value to 0 and its greatest to 1. Masks and attention pass no gradient on.

    Source: CMAlign of LbA (Park et al., ICCV 2021). Computed in float32 at least, also inside
    autocast: :math:`s` makes every digit of the cosine count.

    Args:
        maps: Shape (N, C, h, w).
        partners: A map for each of them, shape (N, C, h, w).
        sharpness: The :math:`s` above.

    Returns:
        The maps made again, and the attention.

    Example:
        >>> maps = torch.rand(2, 8, 3, 2)
        >>> torch.allclose(align(maps, maps, sharpness=1e4).maps, maps, atol=1e-4)
        True
    """
    with torch.autocast(maps.device.type, enabled=False):
        dtype = torch.promote_types(maps.dtype, torch.float32)
        own, other = (x.to(dtype).flatten(2) for x in (maps, partners))  # (N, C, hw)
        cosine = F.normalize(own).transpose(1, 2) @ F.normalize(other)
        matching = (sharpness * cosine).softmax(dim=2)  # (N, hw, hw), rows of the own map
        mask = saliency(own)
        warped = other @ matching.transpose(1, 2)
        again = torch.lerp(own, warped, mask.unsqueeze(1))
        found = (matching.detach() @ saliency(other).unsqueeze(2)).squeeze(2)
        attention = _to_unit_range(mask * found)
    return Alignment(again.view_as(maps), attention.view(len(maps), *maps.shape[2:]))


def saliency(maps: Tensor) -> Tensor:
    """Length of the vector at each position, from 0 to 1 in each image, without a gradient.

    Args:
        maps: Positions in a row, shape (N, C, M).

    Returns:
        Shape (N, M).
    """
    return _to_unit_range(torch.linalg.vector_norm(maps.detach(), dim=1))


def _to_unit_range(values: Tensor) -> Tensor:
    """Rows (N, M) from 0 to 1; a row of equal values becomes 0."""
    low, high = values.amin(dim=1, keepdim=True), values.amax(dim=1, keepdim=True)
    return (values - low) / (high - low).clamp(min=torch.finfo(values.dtype).tiny)
