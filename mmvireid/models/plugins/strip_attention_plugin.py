"""Attention to the rows and the columns of a map."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

from .base_plugin import BasePlugin


def peaks(x: Tensor) -> Tensor:
    """Where the rows and the columns of a map have their maxima.

    Args:
        x: Shape (N, C, h, w).

    Returns:
        Softmax of the rows' maxima times softmax of the columns', shape (N, C, h, w); the sum over
        each map is 1.
    """
    rows = x.amax(dim=3, keepdim=True).softmax(dim=2)  # (N, C, h, 1)
    columns = x.amax(dim=2, keepdim=True).softmax(dim=3)  # (N, C, 1, w)
    return rows * columns


@MODELS.register_module()
class StripAttentionPlugin(BasePlugin):
    r"""Weigh each row and each column of each channel.

    .. math::
        y = x\, a\, b, \quad (a, b) = \sigma\bigl(W_{a, b}\, \mathrm{hswish}(\mathrm{BN}(
        W\, [\bar{x}_h;\, \bar{x}_w]))\bigr),

    with the means of :math:`x` plus its :func:`peaks` over each row and over each column.

    Source: HSS of DNS (ECCV 2024), as released; but for the peaks it is coordinate attention (Hou
    et al., CVPR 2021).

    Args:
        in_channels: Channels C of the maps.
        reduction: C over the inner width, which is at least 8.

    Raises:
        ValueError: If ``reduction`` is below 1.

    Example:
        >>> StripAttentionPlugin(8)(torch.rand(2, 8, 4, 3), {}).shape
        torch.Size([2, 8, 4, 3])
    """

    def __init__(self, in_channels: int, reduction: int = 32, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if reduction < 1:
            raise InvalidValueError(
                f'StripAttentionPlugin: `reduction` is {reduction}, expected at least 1.'
            )
        inner = max(8, in_channels // reduction)
        self.reduce = nn.Conv2d(in_channels, inner, 1, bias=False)
        self.bn = nn.BatchNorm2d(inner)
        self.activation = nn.Hardswish()
        self.rows = nn.Conv2d(inner, in_channels, 1, bias=False)
        self.columns = nn.Conv2d(inner, in_channels, 1, bias=False)

    def forward(self, x: Tensor, maps: Mapping[str, Tensor]) -> Tensor:
        shifted = x + peaks(x)
        rows = shifted.mean(dim=3, keepdim=True)  # (N, C, h, 1)
        columns = shifted.mean(dim=2).unsqueeze(3)  # (N, C, w, 1)
        strips = self.activation(self.bn(self.reduce(torch.cat([rows, columns], dim=2))))
        rows, columns = strips.split([x.shape[2], x.shape[3]], dim=2)
        by_row, by_column = self.rows(rows), self.columns(columns.transpose(2, 3))
        return x * by_row.sigmoid() * by_column.sigmoid()
