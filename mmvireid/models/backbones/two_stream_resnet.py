"""Two-stream ResNet: one stem per modality, one shared trunk."""

import torch
import torchvision
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES
from mmvireid.utils import check_state_dict, load_checkpoint

from .non_local import DotProductNonLocal

#: Depths that can be built.
DEPTHS = (18, 34, 50, 101)
#: The parts of a ResNet, in the order of the data.
STAGES = ('stem', 'layer1', 'layer2', 'layer3', 'layer4')


class ResNetPart(nn.Sequential):
    """Consecutive stages of a ResNet, under torchvision's parameter names.

    Args:
        resnet: The torchvision network that gives its modules.
        stages: Which of :data:`STAGES` to take.
        non_local: Blocks to insert: ``{'layer2': 2}`` puts one behind each of the last two
            residual blocks of layer2.
        inner: Inner width of a non-local block, or ``None`` for half its channels.
    """

    def __init__(
        self,
        resnet: nn.Module,
        stages: tuple[str, ...],
        non_local: dict[str, int],
        inner: int | None,
    ) -> None:
        super().__init__()
        if 'stem' in stages:
            for name in ('conv1', 'bn1', 'relu', 'maxpool'):
                self.add_module(name, getattr(resnet, name))
        for name in stages:
            if name != 'stem':
                stage = getattr(resnet, name)
                self.add_module(name, with_non_local(stage, name, non_local.get(name, 0), inner))


def stage_channels(stage: nn.Sequential) -> int:
    """Output channels of a residual stage."""
    block = stage[-1]
    return (block.bn3 if hasattr(block, 'bn3') else block.bn2).num_features


def with_non_local(stage: nn.Sequential, name: str, count: int, inner: int | None) -> nn.Sequential:
    """Put a non-local block behind each of the last ``count`` residual blocks of a stage.

    The residual blocks keep their names ``0``, ``1``, ...; a non-local block behind block ``i``
    is named ``non_local_i``, so that ImageNet weights load by name.
    """
    if not 0 <= count <= len(stage):
        raise ValueError(
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


@MODELS.register_module()
class TwoStreamResNet(BaseModule):
    """ResNet whose first stages exist once per modality and whose other stages are shared.

    The stems' outputs are joined along the batch, visible first, so the trunk's batch statistics
    mix the modalities and the stems' do not. Source: AGW (Ye et al., TPAMI 2021), released code
    (bottlenecks with the stride on their 3x3 convolution).

    Args:
        depth: 18, 34, 50 or 101.
        split: Last stage that exists once per modality: ``'stem'`` (first convolution to
            max-pooling) or ``'layer1'`` to ``'layer4'``.
        num_stages: Number of residual stages, 2 to 4; 4 is the whole ResNet.
        last_stride: Stride of the last stage, 1 or 2. ReID uses 1: a map twice as large.
        non_local: Non-local blocks per stage, counted from the stage's end, for example
            ``dict(layer2=2, layer3=3)`` (AGW).
        non_local_inner: Inner width of these blocks, ``None`` for half the channels. AGW's
            released code has 1.
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` initialises the trunk and both
            stems from one ImageNet ResNet (torchvision's parameter names): a
            ``torchvision://resnet50``-like name, or a local file. ``None``: random.

    Attributes:
        out_channels (int): Channels C of the feature map, such as 2048.

    Raises:
        ValueError: If an argument is not allowed.

    Example:
        >>> net = TwoStreamResNet(18)
        >>> image = torch.rand(2, 3, 64, 32)
        >>> net(dict(visible=image, infrared=image)).shape
        torch.Size([4, 512, 4, 2])
    """

    def __init__(
        self,
        depth: int = 50,
        split: str = 'stem',
        num_stages: int = 4,
        last_stride: int = 1,
        non_local: dict[str, int] | None = None,
        non_local_inner: int | None = 1,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        non_local = non_local or {}
        stages = STAGES[: num_stages + 1]
        self._check(depth, split, num_stages, last_stride, non_local)
        cut = stages.index(split) + 1
        streams = [getattr(torchvision.models, f'resnet{depth}')(weights=None) for _ in MODALITIES]
        last_stages = [getattr(stream, stages[-1]) for stream in streams]
        for last_stage in last_stages:
            set_stride(last_stage, last_stride)
        self.stems = nn.ModuleDict(
            {
                modality: ResNetPart(stream, stages[:cut], non_local, non_local_inner)
                for modality, stream in zip(MODALITIES, streams)
            }
        )
        self.trunk = ResNetPart(streams[0], stages[cut:], non_local, non_local_inner)
        self.out_channels = stage_channels(last_stages[0])

    @staticmethod
    def _check(
        depth: int, split: str, num_stages: int, last_stride: int, non_local: dict[str, int]
    ) -> None:
        stages = STAGES[: num_stages + 1]
        checks = {
            'depth': (depth, DEPTHS),
            'num_stages': (num_stages, (2, 3, 4)),
            'split': (split, stages),
            'last_stride': (last_stride, (1, 2)),
        }
        checks |= {f'non_local[{key!r}]': (key, stages[1:]) for key in non_local}
        for name, (value, allowed) in checks.items():
            if value not in allowed:
                raise ValueError(
                    f'TwoStreamResNet: `{name}` is {value!r}, expected one of {allowed}.'
                )

    def init_weights(self) -> None:
        """Load the ImageNet weights named by ``init_cfg`` into the trunk and both stems.

        Raises:
            ValueError: If the file does not fit the network.
            RuntimeError: If the weights cannot be had; says which key takes a local file.
        """
        if self.init_cfg is None or self.is_init:
            return
        checkpoint = load_checkpoint(self.init_cfg['checkpoint'], key='model.backbone.init_cfg')
        weights = checkpoint.get('state_dict', checkpoint)
        for part in (*self.stems.values(), self.trunk):
            modules = dict(part.named_children())
            given = {key: value for key, value in weights.items() if key.split('.')[0] in modules}
            # ImageNet networks have no non-local blocks: theirs stay as they are
            own = {k: v for k, v in part.state_dict().items() if '.non_local_' not in k}
            check_state_dict(own, given, source=self.init_cfg['checkpoint'])
            part.load_state_dict(given, strict=False)
        self._is_init = True

    def embed_stems(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Run each modality through its own stem.

        Args:
            inputs: Images per modality, ``{'visible': (Nv, 3, H, W), 'infrared': (Ni, ...)}``;
                a modality may be absent.

        Returns:
            Stem maps per modality, in the order of :data:`MODALITIES`.
        """
        return {key: self.stems[key](inputs[key]) for key in MODALITIES if key in inputs}

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Map images to one joint feature map.

        Args:
            inputs: As in :meth:`embed_stems`.

        Returns:
            Feature map, visible images first, shape (N, C, h, w).
        """
        return self.trunk(torch.cat(list(self.embed_stems(inputs).values())))
