"""Consecutive stages of a torchvision ResNet, the bricks of this project's backbones."""

from collections.abc import Iterable, Sequence

import torchvision
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.models.base.pretrained_init import PretrainedInit
from mmvireid.storage import check_state_dict, load_weights

from .non_local import DotProductNonLocal

#: Depths that can be built.
DEPTHS = (18, 34, 50, 101)
#: The parts of a ResNet, in the order of the data.
STAGES = ('stem', 'layer1', 'layer2', 'layer3', 'layer4')
#: The modules of the stem, each a stage of its own where a part begins or ends within it.
STEM = ('conv1', 'bn1', 'relu', 'maxpool')


class ResNetPart(nn.Sequential):
    """Consecutive stages of a ResNet, under torchvision's parameter names.

    Args:
        resnet: The torchvision network that gives its modules.
        stages: Which of :data:`STAGES`, or of the stem's modules, to take; none for a part that
            leaves its input as it is.
        non_local: Blocks to insert: ``{'layer2': 2}`` puts one behind each of the last two
            residual blocks of layer2.
        inner: Inner width of a non-local block, or ``None`` for half its channels.
        num_blocks: Number of residual blocks of the last stage, ``None`` for all of them.

    Attributes:
        left_out (tuple[str, ...]): Prefixes of the parameters of the blocks that were not taken.
        out_channels (int): Channels of its output.
    """

    def __init__(
        self,
        resnet: nn.Module,
        stages: tuple[str, ...],
        non_local: dict[str, int] | None = None,
        inner: int | None = None,
        num_blocks: int | None = None,
    ) -> None:
        super().__init__()
        non_local = non_local or {}
        for name in STEM:
            if 'stem' in stages or name in stages:
                self.add_module(name, getattr(resnet, name))
        self.left_out = ()
        self.out_channels = resnet.conv1.out_channels
        for name in stages:
            if name == 'stem' or name in STEM:
                continue
            stage = getattr(resnet, name)
            if name == stages[-1] and num_blocks is not None:
                self.left_out = tuple(f'{name}.{i}.' for i in range(num_blocks, len(stage)))
                stage = stage[:num_blocks]
            self.out_channels = stage_channels(stage)
            self.add_module(name, with_non_local(stage, name, non_local.get(name, 0), inner))


class ResNetStages(BaseModule):
    """Base of the networks that are consecutive stages of a ResNet and nothing else.

    Args:
        stages: The stages.
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` as in :class:`TwoStreamResNet`.

    Attributes:
        out_channels (int): Channels C of the map.
    """

    def __init__(self, stages: ResNetPart, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.stages = stages
        self.out_channels = stages.out_channels

    def init_weights(self) -> None:
        """Load the ImageNet weights named by ``init_cfg``.

        Raises:
            ValueError: If the file does not fit.
            RuntimeError: If the weights cannot be had; says which class takes a local file.
        """
        # the class, because a network does not know where in a config it stands
        init_resnet_parts(self, [self.stages], f'{type(self).__name__}.init_cfg')

    def forward(self, x: Tensor) -> Tensor:
        """Run the stages: (N, C_in, H, W) to a feature map (N, C, H / stride, W / stride)."""
        return self.stages(x)


def stage_channels(stage: nn.Sequential) -> int:
    """Output channels of a residual stage."""
    block = stage[-1]
    return (block.bn3 if hasattr(block, 'bn3') else block.bn2).num_features


def map_sizes(resnet: nn.Module, stages: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Channels and stride of the maps of a ResNet.

    Args:
        resnet: The torchvision network.
        stages: The residual stages that it has.

    Returns:
        By stage, ``'stem'`` first: channels, and pixels of the image for each position.
    """
    sizes, stride = {STAGES[0]: (resnet.conv1.out_channels, 4)}, 4
    for name in stages:
        stage = getattr(resnet, name)
        stride *= stage[0].stride
        sizes[name] = stage_channels(stage), stride
    return sizes


def with_non_local(stage: nn.Sequential, name: str, count: int, inner: int | None) -> nn.Sequential:
    """Put a non-local block behind each of the last ``count`` residual blocks of a stage.

    The residual blocks keep their names ``0``, ``1``, ...; a non-local block behind block ``i``
    is named ``non_local_i``, so that ImageNet weights load by name.
    """
    if not 0 <= count <= len(stage):
        raise InvalidValueError(
            f'TwoStreamResNet: `non_local` asks for {count} blocks in {name}, '
            f'expected 0 to {len(stage)}.'
        )
    if count == 0:
        return stage
    channels = stage_channels(stage)
    parts = nn.Sequential()
    for index, block in enumerate(stage):
        parts.add_module(str(index), block)
        if index >= len(stage) - count:
            block = DotProductNonLocal(channels, channels // 2 if inner is None else inner)
            parts.add_module(f'non_local_{index}', block)
    return parts


def set_stride(stage: nn.Sequential, stride: int) -> None:
    """Set a stage's stride: of its first block's strided convolution and of its shortcut."""
    block = stage[0]
    strided = (
        block.conv2 if isinstance(block, torchvision.models.resnet.Bottleneck) else block.conv1
    )
    strided.stride = (stride, stride)
    block.downsample[0].stride = (stride, stride)
    block.stride = stride  # as torchvision's constructor keeps it


def build_resnet(depth: int) -> nn.Module:
    """A torchvision ResNet with random weights, for :class:`ResNetPart` to take stages from.

    Raises:
        ValueError: If ``depth`` is not one of :data:`DEPTHS`.
    """
    if depth not in DEPTHS:
        raise InvalidValueError(f'build_resnet: `depth` is {depth!r}, expected one of {DEPTHS}.')
    return getattr(torchvision.models, f'resnet{depth}')(weights=None)


def load_resnet_parts(parts: Iterable[ResNetPart], checkpoint: str, key: str) -> None:
    """Give parts of ResNets their weights from one ImageNet network.

    Args:
        parts: Each takes what it has.
        checkpoint: As in :func:`~mmvireid.storage.load_checkpoint`.
        key: The config key that names ``checkpoint``, for the error message.

    Raises:
        ValueError: If the file does not fit.
        RuntimeError: If the weights cannot be had; says which key takes a local file.
    """
    weights = load_weights(checkpoint, key=key)
    for part in parts:
        # ImageNet networks have no non-local blocks: theirs stay as they are
        own = {k: v for k, v in part.state_dict().items() if '.non_local_' not in k}
        names = {name for name, _ in part.named_children()}
        given = {
            key: value
            for key, value in weights.items()
            if key.split('.')[0] in names and not key.startswith(part.left_out)
        }
        check_state_dict(own, given, source=checkpoint)
        part.load_state_dict(given, strict=False)


def init_resnet_parts(network: BaseModule, parts: Sequence[ResNetPart], key: str) -> None:
    """What a network's ``init_cfg`` says, once: weights of an ImageNet ResNet for its parts.

    With a ``prefix`` the file is one of ours instead, and the whole network takes the weights whose
    names begin with it, see :class:`PretrainedInit`.

    Args:
        network: Has ``init_cfg``, ``None`` for random weights.
        parts: The parts of it that are a ResNet's.
        key: Where the ``init_cfg`` stands in a config, for messages.

    Raises:
        ValueError: If ``init_cfg`` has other keys, or the file does not fit.
        RuntimeError: If the weights cannot be had; says which key takes a local file.
    """
    if network.init_cfg is not None and not network.is_init:
        options = {name: value for name, value in network.init_cfg.items() if name != 'type'}
        if options.get('prefix'):
            PretrainedInit(**options)(network)
        elif set(options) - {'prefix'} == {'checkpoint'}:
            load_resnet_parts(parts, options['checkpoint'], key)
        else:
            raise InvalidValueError(
                f'{type(network).__name__}: `{key}` is {dict(network.init_cfg)}, expected '
                "dict(type='Pretrained', checkpoint=...), with `prefix` for weights of a model of "
                'this project.'
            )
    network._is_init = True
