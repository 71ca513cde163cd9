"""A stage's output, attending to what the stage began with."""

from collections.abc import Mapping

from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

from .base_plugin import STAGE_INPUT, BasePlugin, MapSize


class _Attention(nn.Module):
    """The four convolutions of an attention without softmax; it starts as identity.

    Args:
        high: Channels of the map that is changed.
        low: Channels of the map that is attended to.
        inner: Channels between.
        phi_stride: Stride of the convolution of the keys.
        out_stride: Stride of the convolution back to ``high``.
    """

    def __init__(
        self, high: int, low: int, inner: int, phi_stride: int = 1, out_stride: int = 1
    ) -> None:
        super().__init__()
        self.low = low
        self.g = nn.Conv2d(low, inner, 1)
        self.theta = nn.Conv2d(high, inner, 1)
        self.phi = nn.Conv2d(low, inner, 1, stride=phi_stride)
        self.out = nn.Conv2d(inner, high, 1, stride=out_stride)
        self.bn = nn.BatchNorm2d(high)
        nn.init.zeros_(self.bn.weight)

    def rows(self, convolution: nn.Conv2d, x: Tensor) -> Tensor:
        """A convolution's map (N, C, h, w) as ``low`` rows (N, low, M), whatever C is."""
        return convolution(x).flatten(1).unflatten(1, (self.low, -1))


class ChannelAggregation(_Attention):
    r"""Attention between channels.

    .. math:: y = x + \mathrm{BN}\bigl(W\,
        [\tfrac1l\, \theta(x)\, \phi(x_0)^\top]\, g(x_0)\bigr)

    with rows of channels, l of them.

    Args:
        high: Channels C of the map x that is changed.
        low: Channels l of the map :math:`x_0` that is attended to.
        stride: Positions of :math:`x_0` for each position of x, in both directions.
    """

    def __init__(self, high: int, low: int, stride: int = 1) -> None:
        super().__init__(high, low, low, phi_stride=stride, out_stride=stride)

    def forward(self, x: Tensor, begun: Tensor) -> Tensor:
        """Attend: x (N, C, h, w) and :math:`x_0` (N, l, h', w') to (N, C, h, w)."""
        theta, phi = self.rows(self.theta, x), self.rows(self.phi, begun)  # (N, l, M)
        affinity = theta @ phi.transpose(1, 2) / self.low  # (N, l, l)
        mixed = affinity @ self.rows(self.g, begun)
        return x + self.bn(self.out(mixed.unflatten(2, begun.shape[2:])))


class PositionAggregation(_Attention):
    r"""Attention between positions.

    .. math:: y = x + \mathrm{BN}\bigl(W\, \theta(x)\,
        [\tfrac1M\, \phi(x_0)\, g(x_0)^\top]\bigr)

    The l / 2 inner channels are read as if they were l, each of half the positions, as released: a
    "position" is one of M halves, and has two channels of a map in it. The product in brackets is
    evaluated first, so that no matrix of all positions exists.

    Args:
        high: Channels C of the map x that is changed.
        low: Channels l of the map :math:`x_0` that is attended to, even.
    """

    def __init__(self, high: int, low: int) -> None:
        super().__init__(high, low, low // 2)

    def forward(self, x: Tensor, begun: Tensor) -> Tensor:
        """Attend: x (N, C, h, w) and :math:`x_0` (N, l, h', w') to (N, C, h, w)."""
        theta, phi, g = (
            self.rows(self.theta, x),
            self.rows(self.phi, begun),
            self.rows(self.g, begun),
        )
        context = phi @ g.transpose(1, 2) / phi.shape[2]  # (N, l, l)
        mixed = context.transpose(1, 2) @ theta  # (N, l, M) in halves of maps
        return x + self.bn(self.out(mixed.flatten(1).unflatten(1, (-1, *x.shape[2:]))))


@MODELS.register_module()
class FeatureAggregationPlugin(BasePlugin):
    """Put what a stage began with into its output, by channels and then by positions.

    Source: the multi-stage feature aggregation (MFA) of DEEN (Zhang and Wang, CVPR 2023), as
    released: a :class:`ChannelAggregation`, then a :class:`PositionAggregation`.

    Args:
        in_channels: Channels C of the maps.
        maps: Size of the stage's ``'input'``.

    Raises:
        ValueError: If a map has an odd number of positions.

    Example:
        >>> import torch
        >>> plugin = FeatureAggregationPlugin(8, maps=dict(input=MapSize(4, 2)))
        >>> plugin(torch.rand(2, 8, 4, 2), dict(input=torch.rand(2, 4, 8, 4))).shape
        torch.Size([2, 8, 4, 2])
    """

    needs = (STAGE_INPUT,)

    def __init__(
        self, in_channels: int, maps: Mapping[str, MapSize], init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        low, stride = maps[STAGE_INPUT]
        self.channels = ChannelAggregation(in_channels, low, stride)
        self.positions = PositionAggregation(in_channels, low)

    def forward(self, x: Tensor, maps: Mapping[str, Tensor]) -> Tensor:
        begun = maps[STAGE_INPUT]
        for _, _, height, width in (x.shape, begun.shape):
            if height * width % 2:
                raise InvalidValueError(
                    f'FeatureAggregationPlugin: a map is of {(height, width)}, expected an even '
                    'number of positions, which are read as two halves: images of another size.'
                )
        return self.positions(self.channels(x, begun), begun)
