"""A critic of patches that halves its input at every layer."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.models.layers import check_reduced_size, init_convolutions
from mmvireid.registry import MODELS


def strided_layers(
    in_channels: int, base_channels: int, num_layers: int, norm_first: bool = False
) -> nn.Sequential:
    """4x4 convolutions of stride 2 with InstanceNorm and LeakyReLU (slope 0.2).

    Args:
        in_channels: Channels of the input.
        base_channels: Channels of the first layer; they double from layer to layer.
        num_layers: Number of layers, each of which halves height and width (rounded down).
        norm_first: Whether the first layer has InstanceNorm too, as all others do.
    """
    layers = []
    for index in range(num_layers):
        channels = base_channels * 2**index
        layers.append(nn.Conv2d(in_channels, channels, 4, 2, 1))
        if index > 0 or norm_first:
            layers.append(nn.InstanceNorm2d(channels))
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        in_channels = channels
    return nn.Sequential(*layers)


def logit_layer(in_channels: int) -> nn.Conv2d:
    """One logit per position."""
    return nn.Conv2d(in_channels, 1, 3, 1, 1, bias=False)


class HalvingDiscriminator(BaseModule):
    """Base of the discriminators that are made of :func:`strided_layers`.

    Attributes:
        factor (int): What height and width are divided by, from the input to the logits.
    """

    factor: int

    def check_size(self, size: Sequence[int]) -> None:
        """Check that inputs of a size are large enough, before training.

        Args:
            size: Their height and width.

        Raises:
            ValueError: If less than two positions are left behind the last layer.
        """
        check_reduced_size(type(self).__name__, size, self.factor)


@MODELS.register_module()
class StridedDiscriminator(HalvingDiscriminator):
    """PatchGAN without layers of stride 1: one logit per patch, real or fake.

    Judges images, or feature maps if ``in_channels`` is theirs. InstanceNorm has neither gains
    nor running statistics: training and evaluation are the same function.

    Source: AlignGAN (Wang et al., ICCV 2019), as released.

    Args:
        in_channels: Channels of what it judges.
        base_channels: Channels of the first layer; they double from layer to layer.
        num_layers: Number of layers with stride 2.

    Example:
        >>> import torch
        >>> StridedDiscriminator(base_channels=4, num_layers=3)(torch.rand(2, 3, 32, 16)).shape
        torch.Size([2, 1, 4, 2])
    """

    def __init__(
        self,
        in_channels: int = 3,
        base_channels: int = 64,
        num_layers: int = 5,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.layers = strided_layers(in_channels, base_channels, num_layers)
        self.to_logits = logit_layer(base_channels * 2 ** (num_layers - 1))
        self.factor = 2**num_layers
        init_convolutions(self)

    def forward(self, images: Tensor) -> Tensor:
        """Judge images or maps (N, C, H, W): logits (N, 1, h, w), positive for real."""
        return self.to_logits(self.layers(images))
