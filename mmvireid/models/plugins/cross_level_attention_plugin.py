"""The channels of a map, compared as the channels of an earlier map are alike."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

from .base_plugin import BasePlugin, MapSize


class Perceptron(nn.Module):
    r"""Two linear layers with :math:`x\, \sigma(1.702\, x)` between them.

    Args:
        width: Size D of the rows.
        ratio: Size between the layers over D.
    """

    def __init__(self, width: int, ratio: int = 4) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, ratio * width), nn.Linear(ratio * width, width)

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (N, T, D) to (N, T, D)."""
        hidden = self.fc1(rows)
        return self.fc2(hidden * (1.702 * hidden).sigmoid())


class SharedKeyAttention(nn.Module):
    """Attention whose queries and keys are made of the same rows, and its values of others.

    Parameters are named and drawn as those of ``torch.nn.MultiheadAttention``, which in evaluation
    may take a way that cannot be exported.

    Args:
        width: Size D of the rows.
        num_heads: Heads; they share D.
    """

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, asked: Tensor, values: Tensor) -> Tensor:
        """Mix rows ``values`` as rows ``asked`` are alike: both, and the result, (N, T, D)."""
        sources = (asked, asked, values)
        parts = zip(sources, self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3))
        heads = [
            F.linear(rows, weight, bias).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
            for rows, weight, bias in parts
        ]  # (N, heads, T, D / heads)
        mixed = F.scaled_dot_product_attention(*heads)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class LevelAttention(nn.Module):
    r"""Mix the channels of a map by the channels of another one.

    Channels are the tokens: x and the other map are brought to C / 4 channels of equal size, and
    each channel is a row of its positions. With :math:`z = \mathrm{LN}(\text{other})`:

    .. math::
        x_1 = \mathrm{LN}(x) + 0.1\, z, \quad
        x_2 = x_1 + \mathrm{MHA}(Q = K = z, V = x_1), \quad
        y = x_2 + \mathrm{MLP}(\mathrm{LN}(x_2))

    and back to C channels; x itself is not added. Without another map :math:`x_1 = \mathrm{LN}(x)`
    asks itself.

    Args:
        channels: Channels C.
        positions: Positions of the map, which ``num_heads`` divides.
        num_heads: Heads of the attention.
        other: Size of the other map, or ``None``.
    """

    def __init__(
        self, channels: int, positions: int, num_heads: int, other: MapSize | None
    ) -> None:
        super().__init__()
        inner = channels // 4
        self.reduce = nn.Conv2d(channels, inner, 1)
        self.other = None
        if other is not None:
            scale = other.scale
            padding = max(1, scale // 2)
            self.other = nn.Conv2d(other.channels, inner, scale + 2, scale, padding)
            self.norm_other = nn.LayerNorm(positions)
        self.norm = nn.LayerNorm(positions)
        self.attention = SharedKeyAttention(positions, num_heads)
        self.norm_mixed = nn.LayerNorm(positions)
        self.mlp = Perceptron(positions)
        self.expand = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor, other: Tensor | None) -> Tensor:
        """Mix: x (N, C, h, w), and another map (N, C', h', w'), to (N, C, h, w)."""
        rows = self.norm(self.reduce(x).flatten(2))  # (N, C / 4, h w)
        asked = rows
        if self.other is not None:
            asked = self.norm_other(self.other(other).flatten(2))
            rows = rows + 0.1 * asked
        rows = rows + self.attention(asked, rows)
        rows = rows + self.mlp(self.norm_mixed(rows))
        return self.expand(rows.unflatten(2, x.shape[2:]))


@MODELS.register_module()
class CrossLevelAttentionPlugin(BasePlugin):
    """Four :class:`LevelAttention` in a row: with the stem's map, layer1's, layer2's, and alone.

    Source: the multi-scale information block (MIMB) behind layer3 of MSCMNet (Pattern Recognition
    2024), as released, without the layers that its blocks own and do not use. Not known is whether
    queries are normalised; here they are, as the release has a norm for them.

    Args:
        in_channels: Channels C of the maps.
        maps: Sizes of the earlier maps.
        map_size: Height and width of the map. A row of an attention has all its positions, so
            weights fit one size alone, that of the images over the stride: 24 x 12 behind layer3
            for images of 384 x 192.
        num_heads: Heads of each attention, which divide the number of positions.

    Raises:
        ValueError: If the heads do not divide the positions, or a map is of another size.
    """

    needs = ('stem', 'layer1', 'layer2')

    def __init__(
        self,
        in_channels: int,
        maps: Mapping[str, MapSize],
        map_size: Sequence[int] = (24, 12),
        num_heads: int = 32,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.map_size = tuple(map_size)
        positions = self.map_size[0] * self.map_size[1]
        if num_heads < 1 or positions % num_heads:
            raise InvalidValueError(
                f'CrossLevelAttentionPlugin: `num_heads` is {num_heads}, expected a divisor of '
                f'{positions}, the positions of `map_size` {self.map_size}.'
            )
        self.scales = {name: maps[name].scale for name in self.needs}
        others = [*(maps[name] for name in self.needs), None]
        self.levels = nn.ModuleList(
            LevelAttention(in_channels, positions, num_heads, other) for other in others
        )

    def forward(self, x: Tensor, maps: Mapping[str, Tensor]) -> Tensor:
        if tuple(x.shape[2:]) != self.map_size:
            raise InvalidValueError(
                f'CrossLevelAttentionPlugin: `map_size` is {self.map_size} and the map '
                f'{tuple(x.shape[2:])}, expected the size of the images over the stride there.'
            )
        for name, scale in self.scales.items():
            expected = tuple(scale * side for side in self.map_size)
            if tuple(maps[name].shape[2:]) != expected:
                raise InvalidValueError(
                    f'CrossLevelAttentionPlugin: `map_size` is {self.map_size} and the map of '
                    f'{name!r} {tuple(maps[name].shape[2:])}, expected {expected}: images whose '
                    'sides the stride divides.'
                )
        for level, other in zip(self.levels, [*(maps[name] for name in self.needs), None]):
            x = level(x, other)
        return x
