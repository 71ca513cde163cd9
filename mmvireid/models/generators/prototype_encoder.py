"""From an image to the form that its appearance is based on."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.models.layers.reflected import (
    ReflectedResidualBlock,
    init_kaiming,
    instance_norm,
    leaky,
    reflected_conv,
)
from mmvireid.registry import MODELS


@MODELS.register_module()
class PrototypeEncoder(BaseModule):
    """Convolutions, residual blocks, dilated branches: an image to a map of a quarter its size.

    InstanceNorm (without gains, offsets or running statistics) follows every convolution, the
    last one too: every channel of a prototype has the mean 0, so that pooling it gives nothing.

    Source: Hi-CMD (Choi et al., CVPR 2020), layers as released.

    Args:
        base_channels: Channels b of the first layer; the prototype has 8 b.
        num_blocks: Number of residual blocks.
        dilations: Dilation of every branch that has one; a branch without it is added.

    Attributes:
        out_channels (int): Channels of the prototype.

    Example:
        >>> PrototypeEncoder(4, num_blocks=1, dilations=(1, 2))(torch.rand(2, 3, 32, 16)).shape
        torch.Size([2, 32, 8, 4])
    """

    def __init__(
        self,
        base_channels: int = 32,
        num_blocks: int = 4,
        dilations: Sequence[int] = (3, 6, 9),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        b = base_channels
        self.dilations = tuple(dilations)
        self.out_channels = 8 * b
        self.down = nn.ModuleList(
            [
                reflected_conv(3, b, 3, stride=2),
                reflected_conv(b, 2 * b, 3),
                reflected_conv(2 * b, 2 * b, 3),
                reflected_conv(2 * b, 4 * b, 3, stride=2),
            ]
        )
        self.blocks = nn.ModuleList(ReflectedResidualBlock(4 * b) for _ in range(num_blocks))
        self.thin = nn.ModuleList(reflected_conv(4 * b, 2 * b, 1) for _ in (1, *dilations))
        self.dilated = nn.ModuleList(reflected_conv(2 * b, 2 * b, 3, dilation=d) for d in dilations)
        self.fuse = reflected_conv(2 * b * len(self.thin), 8 * b, 1)
        init_kaiming(self)

    def check_size(self, size: Sequence[int]) -> None:
        """Check that images of a size can be encoded, before training.

        Args:
            size: Their height and width.

        Raises:
            ValueError: If the map is too small for reflection around the largest dilation.
        """
        largest = max((1, *self.dilations))  # residual blocks have the dilation 1
        reduced = tuple(-(-length // 4) for length in size)
        if min(reduced) <= largest:
            raise InvalidValueError(
                f'PrototypeEncoder: `input_size` is {tuple(size)}, expected at least '
                f'{4 * largest + 1} in both directions: its map has {reduced} positions, and a '
                f'dilation of {largest} needs more than {largest}. Or lower `dilations`.'
            )

    def forward(self, images: Tensor) -> Tensor:
        """Encode images (N, 3, H, W) to prototypes (N, 8 b, H / 4, W / 4)."""
        maps = images
        for convolution in self.down:
            maps = leaky(instance_norm(convolution(maps)))
        for block in self.blocks:
            maps = block(maps, instance_norm, instance_norm)
        plain, *thin = (instance_norm(convolution(maps)) for convolution in self.thin)
        wide = [
            instance_norm(convolution(leaky(branch)))
            for convolution, branch in zip(self.dilated, thin)
        ]
        return instance_norm(self.fuse(torch.cat([plain, *wide], dim=1)))
