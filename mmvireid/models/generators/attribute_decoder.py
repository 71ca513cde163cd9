"""From codes to an image: attributes say how a prototype is drawn."""

from collections.abc import Sequence
from functools import partial

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.models.layers.reflected import (
    SLOPE,
    ReflectedResidualBlock,
    init_kaiming,
    instance_norm,
    leaky,
    reflected_conv,
)
from mmvireid.registry import MODELS

from .codes import Codes


def adaptive_instance_norm(maps: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    r"""InstanceNorm whose gains and offsets are given by another image.

    .. math:: \gamma \frac{x - \mu(x)}{\sqrt{\sigma^2(x) + 10^{-5}}} + \beta

    Source: Huang and Belongie, ICCV 2017. The scale is used as it is, as Hi-CMD released it.

    Args:
        maps: The :math:`x`, shape (N, C, h, w).
        scale: The :math:`\gamma`, shape (N, C).
        shift: The :math:`\beta`, shape (N, C).

    Returns:
        Shape (N, C, h, w).
    """
    return instance_norm(maps) * scale[..., None, None] + shift[..., None, None]


def sample_norm(channels: int) -> nn.GroupNorm:
    """LayerNorm over channels and positions of a sample, with gain and offset per channel.

    Gains start uniform in [0, 1), as in MUNIT (Huang et al., ECCV 2018).

    Deviation: released is the division by the unbiased deviation plus 1e-5; torch's adds 1e-5 to
    the variance, which differs by 5e-6 of the output where the variance is 1, and is many times
    faster.
    """
    norm = nn.GroupNorm(1, channels)
    nn.init.uniform_(norm.weight)
    return norm


def perceptron(in_channels: int, out_channels: int) -> nn.Sequential:
    """Three linear layers, the hidden ones as wide as the input."""
    return nn.Sequential(
        nn.Linear(in_channels, in_channels),
        nn.LeakyReLU(SLOPE),
        nn.Linear(in_channels, in_channels),
        nn.LeakyReLU(SLOPE),
        nn.Linear(in_channels, out_channels),
    )


class AdaptiveResidualBlock(nn.Module):
    """A residual block whose normalisations are scaled and shifted by attributes.

    Args:
        channels: Channels of the maps.
        code_size: Channels of the attributes.
    """

    def __init__(self, channels: int, code_size: int) -> None:
        super().__init__()
        self.block = ReflectedResidualBlock(channels)
        self.scales = perceptron(code_size, 2 * channels)
        self.shifts = perceptron(code_size, 2 * channels)

    def forward(self, maps: Tensor, attributes: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C, h, w), as attributes (N, D) say."""
        scales, shifts = self.scales(attributes).chunk(2, 1), self.shifts(attributes).chunk(2, 1)
        norms = [
            partial(adaptive_instance_norm, scale=scale, shift=shift)
            for scale, shift in zip(scales, shifts)
        ]
        return self.block(maps, *norms)


@MODELS.register_module()
class AttributeDecoder(BaseModule):
    """Residual blocks steered by attributes, then upsampling to four times the prototype's size.

    Every block has its own part of the attributes. Nothing is kept of a call: the steering is
    passed from layer to layer. The output is linear, since normalised images exceed [-1, 1].

    Source: Hi-CMD (Choi et al., CVPR 2020), layers as released, after MUNIT.

    Args:
        in_channels: Channels C of the prototype, a multiple of 4.
        code_size: Attributes of a block.
        num_blocks: Number of residual blocks B.

    Example:
        >>> import torch
        >>> decoder = AttributeDecoder(16, code_size=8, num_blocks=2)
        >>> attributes = torch.rand(3, 2, 4), torch.rand(3, 2, 2), torch.rand(3, 2, 2)
        >>> decoder(Codes(torch.rand(3, 16, 8, 4), *attributes)).shape
        torch.Size([3, 3, 32, 16])
    """

    def __init__(
        self, in_channels: int, code_size: int, num_blocks: int = 4, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        half, quarter = in_channels // 2, in_channels // 4
        self.blocks = nn.ModuleList(
            AdaptiveResidualBlock(in_channels, code_size) for _ in range(num_blocks)
        )
        self.enlarge = nn.ModuleList(
            nn.Sequential(
                nn.Upsample(scale_factor=2),
                reflected_conv(width, width // 2, 5),
                sample_norm(width // 2),
                nn.LeakyReLU(SLOPE),
            )
            for width in (in_channels, half)
        )
        self.refine = nn.ModuleList(reflected_conv(quarter, quarter, 3) for _ in range(2))
        self.to_image = reflected_conv(quarter, 3, 1)
        init_kaiming(self)

    def check_size(self, size: Sequence[int]) -> None:
        """Check that images of a size are given back in this size, before training.

        Args:
            size: Their height and width.

        Raises:
            ValueError: If they are no multiples of 4, or the prototype is too small for reflection.
        """
        if any(length < 8 or length % 4 for length in size):
            raise InvalidValueError(
                f'AttributeDecoder: `input_size` is {tuple(size)}, expected multiples of 4, at '
                'least 8: it makes images four times as large as a prototype, which needs two '
                'positions in both directions to be padded by reflection.'
            )

    def forward(self, codes: Codes) -> Tensor:
        """Decode codes of N images to images (N, 3, 4 h, 4 w)."""
        maps = codes.prototype
        for block, attributes in zip(self.blocks, codes.attributes.unbind(1), strict=True):
            maps = block(maps, attributes)
        for layers in self.enlarge:
            maps = layers(maps)
        for convolution in self.refine:
            maps = leaky(convolution(maps))
        return self.to_image(maps)
