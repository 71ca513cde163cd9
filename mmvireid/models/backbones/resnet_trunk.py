"""Residual stages of a ResNet, for maps instead of images."""

from collections.abc import Sequence
from itertools import combinations

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

from .resnet_part import STAGES, ResNetPart, ResNetStages, build_resnet

#: What can be asked for: one or more consecutive stages.
RUNS = [STAGES[begin:end] for begin, end in combinations(range(1, len(STAGES) + 1), 2)]


@MODELS.register_module()
class ResNetTrunk(ResNetStages):
    """Consecutive residual stages of a ResNet that take feature maps.

    Args:
        depth: 18, 34, 50 or 101.
        stages: Some of ``'layer1'`` to ``'layer4'``, without a gap.
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` as in :class:`TwoStreamResNet`.

    Attributes:
        in_channels (int): Channels of the maps that it takes, 256 for layer2 of ResNet-50.
        out_channels (int): Channels C of the maps that it makes, 1024 for layer3 of ResNet-50.
        stride (int): Positions of its input per position of its output, in both directions.

    Raises:
        ValueError: If an argument is not allowed.

    Example:
        >>> import torch
        >>> trunk = ResNetTrunk(18, ('layer2', 'layer3'))
        >>> trunk(torch.rand(2, trunk.in_channels, 16, 8)).shape
        torch.Size([2, 256, 4, 2])
    """

    def __init__(
        self,
        depth: int = 50,
        stages: Sequence[str] = ('layer2', 'layer3'),
        init_cfg: dict | None = None,
    ) -> None:
        stages = tuple(stages)
        if stages not in RUNS:
            raise InvalidValueError(
                f'ResNetTrunk: `stages` is {stages}, expected consecutive ones of {STAGES[1:]}.'
            )
        resnet = build_resnet(depth)
        super().__init__(ResNetPart(resnet, stages), init_cfg)
        self.in_channels = getattr(resnet, stages[0])[0].conv1.in_channels
        self.stride = 2 ** sum(name != 'layer1' for name in stages)
