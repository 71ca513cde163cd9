"""What a plug-in of a trunk is."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

from mmengine.model import BaseModule
from torch import Tensor

#: In :attr:`BasePlugin.needs`, the map that the plug-in's own stage began with.
STAGE_INPUT = 'input'


class MapSize(NamedTuple):
    """Size of a map that a plug-in needs beside the one it changes.

    Attributes:
        channels: Its channels.
        scale: Its positions for each position of the map that is changed, in both directions.
    """

    channels: int
    scale: int


class BasePlugin(BaseModule):
    """Base of what changes the map between two stages of a trunk, see :class:`StagePlugins`.

    A plug-in keeps the channels of the map, and may make another number of maps of it. Its
    constructor takes ``in_channels`` and, if it needs earlier maps, their sizes as ``maps``,
    a dict of :class:`MapSize` by name; both follow from the trunk.

    Attributes:
        needs (tuple[str, ...]): Earlier maps that it reads: names of stages, ``'stem'`` or
            ``'layer1'`` to ``'layer4'``, each behind its own plug-ins, or ``'input'`` for what its
            own stage began with. Nothing else is kept for it.
    """

    needs: tuple[str, ...] = ()

    @abstractmethod
    def forward(self, x: Tensor, maps: Mapping[str, Tensor]) -> Tensor:
        """Change a map.

        Args:
            x: Map of the stage, shape (N, C, h, w).
            maps: What it :attr:`needs`, by name, each (N, C, h, w) with sizes of its own.

        Returns:
            Map for the next stage, shape (N, C, h, w); N may be another number.
        """
