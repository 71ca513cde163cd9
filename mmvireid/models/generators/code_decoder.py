"""From a code to a feature map or an image."""

import math
from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS


@MODELS.register_module()
class CodeDecoder(BaseModule):
    """A fully connected layer, then transposed convolutions up to a map of a given size.

    Each hidden layer is followed by BatchNorm and LeakyReLU (slope 0.2), the fully connected one
    by dropout too. The last layer is linear. Layers of stride 2 have 4x4 kernels, the others 3x3.

    Source: DG-VAE (Pu et al., ACM MM 2020), Sec. 4.2, which names the kinds of layers only.

    Args:
        code_size: Size D of the code.
        out_channels: Channels of the output.
        out_size: Height and width of the output; the map that the decoder starts with is this
            divided by all its strides.
        start_channels: Channels of the map that the fully connected layer makes.
        hidden: Channels and stride (1 or 2) of every hidden transposed convolution.
        last_stride: Stride of the last one, 1 or 2.
        dropout: Probability of dropout behind the fully connected layer.

    Raises:
        ValueError: If ``out_size`` is not a positive multiple of all strides together.

    Example:
        >>> import torch
        >>> decoder = CodeDecoder(10, 16, (8, 4), start_channels=4, hidden=[(8, 2), (8, 2)])
        >>> decoder(torch.rand(2, 10)).shape
        torch.Size([2, 16, 8, 4])
    """

    def __init__(
        self,
        code_size: int,
        out_channels: int,
        out_size: Sequence[int],
        start_channels: int = 256,
        hidden: Sequence[tuple[int, int]] = ((256, 2), (512, 2)),
        last_stride: int = 1,
        dropout: float = 0.2,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        factor = math.prod(stride for _, stride in hidden) * last_stride
        if any(length < factor or length % factor for length in out_size):
            raise InvalidValueError(
                f'CodeDecoder: `out_size` is {tuple(out_size)}, expected a height and a width that '
                f'are multiples of {factor}, the product of its strides; a larger input gives a '
                'larger `out_size`.'
            )
        self.start_shape = (start_channels, *(length // factor for length in out_size))
        flat = math.prod(self.start_shape)
        self.start = nn.Sequential(
            nn.Linear(code_size, flat, bias=False),
            nn.BatchNorm1d(flat),
            nn.LeakyReLU(0.2),
            nn.Dropout(dropout),
        )
        layers, channels = [], start_channels
        for width, stride in hidden:
            layers.append(upsample(channels, width, stride, bias=False))
            layers += [nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
            channels = width
        self.layers = nn.Sequential(*layers, upsample(channels, out_channels, last_stride))

    def forward(self, code: Tensor) -> Tensor:
        """Decode codes (N, D) to maps (N, out_channels, h, w)."""
        return self.layers(self.start(code).unflatten(1, self.start_shape))


def upsample(in_channels: int, out_channels: int, stride: int, bias: bool = True) -> nn.Module:
    """A transposed convolution that multiplies height and width by ``stride``, 1 or 2."""
    kernel_size = 2 + stride
    return nn.ConvTranspose2d(in_channels, out_channels, kernel_size, stride, 1, bias=bias)
