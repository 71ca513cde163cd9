"""Several maps of every image."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.registry import MODELS

from .base_plugin import BasePlugin


class Expansion(nn.Module):
    r"""Another map of the same image.

    .. math:: y = W\, \mathrm{relu}\bigl(\tfrac13 \textstyle\sum_{d=1}^3 V_d * x\bigr)

    with 3x3 convolutions of dilation d, without biases.

    Args:
        channels: Channels C of both maps; a quarter of them between.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 4
        self.dilated = nn.ModuleList(
            nn.Conv2d(channels, inner, 3, padding=d, dilation=d, bias=False) for d in (1, 2, 3)
        )
        self.out = nn.Conv2d(inner, channels, 1)
        for convolution in (*self.dilated, self.out):
            nn.init.kaiming_normal_(convolution.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Expand: (N, C, h, w) -> (N, C, h, w)."""
        total = sum(convolution(x) for convolution in self.dilated)
        return self.out(F.relu(total / len(self.dilated)))


@MODELS.register_module()
class EmbeddingExpansionPlugin(BasePlugin):
    """Go on with the map of an image and with maps made of it, as further rows of the batch.

    Source: the diverse embedding expansion (DEE) of DEEN (Zhang and Wang, CVPR 2023), as released;
    its initial weights are not known, and are Kaiming's here.

    Args:
        in_channels: Channels C of the maps.
        num_branches: How many maps are made of each; 2 in the release.
        dropout: Probability of dropout, of all maps.

    Example:
        >>> EmbeddingExpansionPlugin(8)(torch.rand(2, 8, 4, 3), {}).shape
        torch.Size([6, 8, 4, 3])
    """

    def __init__(
        self,
        in_channels: int,
        num_branches: int = 2,
        dropout: float = 0.01,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.branches = nn.ModuleList(Expansion(in_channels) for _ in range(num_branches))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, maps: Mapping[str, Tensor]) -> Tensor:
        """All maps as they are, then all maps of the first branch, and so on."""
        return self.dropout(torch.cat([x, *(branch(x) for branch in self.branches)]))
