"""Instance normalisation of those channels that carry the modality."""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

from .base_plugin import BasePlugin


@MODELS.register_module()
class ModalityAlleviationPlugin(BasePlugin):
    r"""Normalise each channel of each image by as much as the image says.

    .. math::
        y = m\, x + (1 - m)\, \mathrm{IN}(x), \quad
        m = \sigma\bigl(W_2\, \mathrm{relu}(W_1\, \tfrac{1}{hw} \textstyle\sum_{xy} x)\bigr)

    Source: the modality alleviation module (MAM) of MPANet (Wu et al., CVPR 2021), as released:
    instance normalisation without weights, no biases.

    Args:
        in_channels: Channels C of the maps.
        reduction: C over the width between the two layers.

    Raises:
        ValueError: If nothing is left between them.

    Example:
        >>> import torch
        >>> ModalityAlleviationPlugin(32)(torch.rand(2, 32, 4, 3), {}).shape
        torch.Size([2, 32, 4, 3])
    """

    def __init__(self, in_channels: int, reduction: int = 16, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if not 1 <= reduction <= in_channels:
            raise InvalidValueError(
                f'ModalityAlleviationPlugin: `reduction` is {reduction}, expected 1 to '
                f'{in_channels}, the channels there.'
            )
        inner = in_channels // reduction
        self.channel_attention = nn.Sequential(
            nn.Conv2d(in_channels, inner, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(inner, in_channels, 1, bias=False),
        )

    def forward(self, x: Tensor, maps: Mapping[str, Tensor]) -> Tensor:
        mask = self.channel_attention(x.mean(dim=(2, 3), keepdim=True)).sigmoid()  # (N, C, 1, 1)
        return mask * x + (1 - mask) * F.instance_norm(x)
