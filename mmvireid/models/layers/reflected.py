"""Layers of the networks that pad by reflection: encoders, decoders and critics of images."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Negative slope of every LeakyReLU.
SLOPE = 0.3


def reflect(maps: Tensor, padding: int) -> Tensor:
    """Pad maps by reflection, on all four sides.

    PyTorch's own padding adds gradients up in any order on a GPU, and refuses where deterministic
    algorithms are asked for (``randomness=dict(deterministic=True)``); there the rows and columns
    are selected.

    Args:
        maps: Shape (N, C, h, w), with h and w larger than the padding.
        padding: Rows and columns on each side.

    Returns:
        Shape (N, C, h + 2 padding, w + 2 padding).
    """
    if maps.is_cuda and torch.are_deterministic_algorithms_enabled():
        return reflect_by_selection(maps, padding)
    return F.pad(maps, (padding,) * 4, mode='reflect')


def reflect_by_selection(maps: Tensor, padding: int) -> Tensor:
    """As :func:`reflect`, by selecting rows and columns: the same on every device, but slower."""
    for dim in (2, 3):
        maps = maps.index_select(dim, reflected_positions(maps.shape[dim], padding, maps.device))
    return maps


def reflected_positions(size: int, padding: int, device: torch.device | None = None) -> Tensor:
    """Where each position of a padded row comes from, int64, shape (size + 2 padding,).

    Example:
        >>> reflected_positions(4, padding=2)
        tensor([2, 1, 0, 1, 2, 3, 2, 1])
    """
    last = size - 1
    return last - (last - torch.arange(-padding, size + padding, device=device).abs()).abs()


class ReflectedConv(nn.Conv2d):
    """A convolution whose input is padded by reflection; its arguments are those of a plain one."""

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, out_channels, h', w')."""
        padded = reflect(maps, self.padding[0])
        return F.conv2d(padded, self.weight, self.bias, self.stride, 0, self.dilation)


def reflected_conv(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, dilation: int = 1
) -> nn.Conv2d:
    """A convolution that divides height and width by its stride (rounded up), and nothing else.

    Its input is padded by reflection, which needs a map larger than the padding,
    ``dilation * (kernel_size // 2)``, in both directions.
    """
    padding = dilation * (kernel_size // 2)
    kind = ReflectedConv if padding else nn.Conv2d  # reflecting nothing would copy the map
    return kind(in_channels, out_channels, kernel_size, stride, padding, dilation)


def leaky(maps: Tensor) -> Tensor:
    """LeakyReLU of slope :data:`SLOPE`."""
    return F.leaky_relu(maps, SLOPE)


def instance_norm(maps: Tensor) -> Tensor:
    """InstanceNorm (eps 1e-5) without gains, offsets or running statistics.

    A group per channel is the same thing, and up to five times faster on CPUs.
    """
    return F.group_norm(maps, int(maps.shape[1]))  # where a model is traced, a size is no number


def as_it_is(maps: Tensor) -> Tensor:
    """No normalisation."""
    return maps


class ReflectedResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; nothing behind their sum.

    How the two are normalised is handed in with every call, so that an adaptive normalisation
    needs no state in the module.

    Args:
        channels: Channels of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = reflected_conv(channels, channels, 3)
        self.second = reflected_conv(channels, channels, 3)

    def forward(
        self,
        maps: Tensor,
        first_norm: Callable[[Tensor], Tensor] = as_it_is,
        second_norm: Callable[[Tensor], Tensor] = as_it_is,
    ) -> Tensor:
        """Map (N, C, h, w) to (N, C, h, w).

        Args:
            maps: The input.
            first_norm: Applied behind the first convolution, before LeakyReLU.
            second_norm: Applied behind the second one.
        """
        hidden = leaky(first_norm(self.first(maps)))
        return maps + second_norm(self.second(hidden))


def init_kaiming(network: nn.Module) -> None:
    """Draw the weights of all convolutions and linear layers as He et al. (2015) do, biases 0.

    N(0, 2 / fan-in); other layers stay as they are.

    Args:
        network: Is changed in place.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
