"""Plug-ins between the stages of a trunk."""

from collections.abc import Mapping

from torch import Tensor, nn

from mmvireid.errors import InvalidTypeError, InvalidValueError
from mmvireid.models.base.sizes import with_sizes
from mmvireid.registry import MODELS

from .base_plugin import STAGE_INPUT, BasePlugin, MapSize

#: Modules that end a stage of another name.
STAGE_ENDS = dict(maxpool='stem')


class StagePlugins(nn.ModuleDict):
    """What changes the maps between the stages of a trunk.

    The plug-ins of a stage change its map one after the other, before the next stage sees it. The
    stages know nothing of them: they keep their names and their weights.

    Args:
        plugins: Configs of :class:`BasePlugin` by name of the stage, one or a list of them;
            their sizes follow.
        sizes: Channels and stride (pixels of the image for each position) of the network's maps,
            by name of the stage, in their order.
        entrance: Which of these maps the trunk takes; any other word if it begins before them.

    Raises:
        TypeError: If a plug-in is no config.
        ValueError: If a stage is no part of the trunk, a plug-in is none, or needs a map that the
            trunk does not have.

    Example:
        >>> import torch
        >>> trunk = nn.Sequential()
        >>> trunk.add_module('layer1', nn.Conv2d(3, 32, 1))
        >>> plugins = dict(layer1=dict(type='ModalityAlleviationPlugin'))
        >>> plugged = StagePlugins(plugins, dict(stem=(3, 4), layer1=(32, 4)), 'stem')
        >>> plugged(trunk, torch.rand(2, 3, 4, 2)).shape
        torch.Size([2, 32, 4, 2])
    """

    def __init__(
        self,
        plugins: Mapping[str, dict | list[dict]],
        sizes: Mapping[str, tuple[int, int]],
        entrance: str,
    ) -> None:
        super().__init__()
        self.entrance = entrance
        self.sources: dict[str, list[dict[str, str]]] = {}
        names = list(sizes)
        if entrance in sizes:
            sizes = {name: sizes[name] for name in names[names.index(entrance) :]}
        places = [name for name in sizes if name != entrance]
        for stage, cfgs in plugins.items():
            if stage not in places:
                raise InvalidValueError(
                    f'StagePlugins: `plugins` has {stage!r}, expected some of {places}: the stages '
                    'that both modalities share.'
                )
            cfgs = cfgs if isinstance(cfgs, list | tuple) else [cfgs]
            built = [self._build(stage, i, cfg, sizes) for i, cfg in enumerate(cfgs)]
            self[stage] = nn.ModuleList(plugin for plugin, _ in built)
            self.sources[stage] = [needed for _, needed in built]
        used = [needed for own in self.sources.values() for needed in own]
        self.kept = {source for needed in used for source in needed.values()}

    def _build(
        self, stage: str, index: int, cfg: dict, sizes: Mapping[str, tuple[int, int]]
    ) -> tuple[BasePlugin, dict[str, str]]:
        """A plug-in, and the stage that each map which it needs is from."""
        where = f'plugins.{stage}.{index}'
        if not isinstance(cfg, Mapping) or 'type' not in cfg:
            raise InvalidTypeError(
                f'StagePlugins: `{where}` is {cfg!r}, expected the config of a plug-in, such as '
                "dict(type='ModalityAlleviationPlugin')."
            )
        kind = MODELS.get(cfg['type']) if isinstance(cfg['type'], str) else cfg['type']
        if not issubclass(kind, BasePlugin):
            raise InvalidValueError(
                f'StagePlugins: `{where}` is a {kind.__name__}, expected a BasePlugin.'
            )
        names = list(sizes)
        own = names.index(stage)
        begun = {STAGE_INPUT: names[own - 1]} if own else {}
        needed = {name: begun.get(name, name) for name in kind.needs}
        lacking = sorted(source for source in needed.values() if source not in names[:own])
        if lacking:
            raise InvalidValueError(
                f'StagePlugins: `{where}` is a {kind.__name__}, which needs the maps of {lacking}, '
                f'expected some of {names[:own]}: what the modalities share before {stage!r}.'
            )
        channels, stride = sizes[stage]
        follows = dict(in_channels=channels)
        if needed:
            maps = {name: sizes[source] for name, source in needed.items()}
            follows['maps'] = {name: MapSize(c, stride // s) for name, (c, s) in maps.items()}
        return MODELS.build(with_sizes(f'StagePlugins.{where}', cfg, **follows)), needed

    def forward(self, trunk: nn.Sequential, x: Tensor) -> Tensor:
        """Run a trunk with its plug-ins.

        Args:
            trunk: The stages, under their names.
            x: What the trunk takes, shape (N, C, H, W).

        Returns:
            Feature map, shape (N, C, h, w); N may be another number, if a plug-in says so.
        """
        if not self:
            return trunk(x)
        maps = {name: x for name in self.kept if name == self.entrance}
        for name, stage in trunk.named_children():
            name, x = STAGE_ENDS.get(name, name), stage(x)
            for index, needed in enumerate(self.sources.get(name, ())):
                given = {key: maps[source] for key, source in needed.items()}
                x = self[name][index](x, given)
            if name in self.kept:
                maps[name] = x
        return x
