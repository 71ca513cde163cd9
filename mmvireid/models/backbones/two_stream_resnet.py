"""Two-stream ResNet: one stem per modality, one shared trunk."""

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.models.plugins import StagePlugins
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES

from .resnet_part import (
    DEPTHS,
    STAGES,
    STEM,
    ResNetPart,
    build_resnet,
    init_resnet_parts,
    map_sizes,
    set_stride,
    stage_channels,
)
from .view_stems import ViewStems


@MODELS.register_module()
class TwoStreamResNet(BaseModule):
    """ResNet whose first stages exist once per modality and whose other stages are shared.

    The stems' outputs are joined along the batch, visible first, so the trunk's batch statistics
    mix the modalities and the stems' do not. Source: AGW (Ye et al., TPAMI 2021), released code
    (bottlenecks with the stride on their 3x3 convolution).

    Args:
        depth: 18, 34, 50 or 101.
        split: Last stage that exists once per modality: ``'stem'`` (first convolution to
            max-pooling) or ``'layer1'`` to ``'layer4'``; ``'conv1'`` for the first convolution
            alone, which is what zero-padding of a channel per modality comes to (Wu et al., ICCV
            2017); ``'none'`` for one stream.
        num_stages: Number of residual stages, 2 to 4; 4 is the whole ResNet.
        last_stride: Stride of the last stage, 1 or 2. ReID uses 1: a map twice as large.
        non_local: Non-local blocks per stage, counted from the stage's end, for example
            ``dict(layer2=2, layer3=3)`` (AGW).
        non_local_inner: Inner width of these blocks, ``None`` for half the channels. AGW's
            released code has 1.
        plugins: Configs of :class:`~mmvireid.models.plugins.BasePlugin` by name of a shared stage
            (``'layer1'`` to ``'layer4'``), one or a list of them: what changes the stage's map
            before the next stage sees it. Their sizes follow.
        num_stems: Stems of each modality, up to 4: in training, each sees a view of its own of the
            modality's images; in tests their maps are averaged (:class:`ViewStems`).
        stem_relu: Whether the stem has its ReLU. Released code after early versions of
            "reid-strong-baseline" has none (X-Modality, JSIA).
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` initialises the trunk and both
            stems from one ImageNet ResNet (torchvision's parameter names): a
            ``torchvision://resnet50``-like name, ``mmvireid://resnet18_rendered`` (weights that
            come with the package, without layer4), or a local file. With ``prefix='backbone.'`` all
            weights are those of a trained model's backbone. ``None``: random.

    Attributes:
        out_channels (int): Channels C of the feature map, such as 2048.
        num_stems (int): As the argument.

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
        plugins: dict[str, dict | list[dict]] | None = None,
        num_stems: int = 1,
        stem_relu: bool = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        non_local = non_local or {}
        self._check(depth, split, num_stages, last_stride, non_local, num_stems)
        stages = (*STEM, *STAGES[1 : num_stages + 1])
        last_private = STEM[-1] if split == 'stem' else split
        cut = 0 if split == 'none' else stages.index(last_private) + 1
        streams = [build_resnet(depth) for _ in range(num_stems * len(MODALITIES))]
        if not stem_relu:
            for stream in streams:
                stream.relu = nn.Identity()  # of the stem; the blocks have their own
        last_stages = [getattr(stream, stages[-1]) for stream in streams]
        for last_stage in last_stages:
            set_stride(last_stage, last_stride)
        stems = [ResNetPart(stream, stages[:cut], non_local, non_local_inner) for stream in streams]
        own = [stems[i : i + num_stems] for i in range(0, len(stems), num_stems)]
        self.num_stems = num_stems
        self.stems = nn.ModuleDict(
            {key: ViewStems(s) if num_stems > 1 else s[0] for key, s in zip(MODALITIES, own)}
        )
        self.trunk = ResNetPart(streams[0], stages[cut:], non_local, non_local_inner)
        self.plugins = StagePlugins(
            plugins or {}, map_sizes(streams[0], stages[len(STEM) :]), entrance=split
        )
        self.out_channels = stage_channels(last_stages[0])

    @staticmethod
    def _check(
        depth: int,
        split: str,
        num_stages: int,
        last_stride: int,
        non_local: dict[str, int],
        num_stems: int,
    ) -> None:
        stages = STAGES[: num_stages + 1]
        checks = {
            'depth': (depth, DEPTHS),
            'num_stages': (num_stages, (2, 3, 4)),
            'split': (split, ('none', 'conv1', *stages)),
            'last_stride': (last_stride, (1, 2)),
            'num_stems': (num_stems, (1,) if split == 'none' else (1, 2, 3, 4)),
        }
        checks |= {f'non_local[{key!r}]': (key, stages[1:]) for key in non_local}
        for name, (value, allowed) in checks.items():
            if value not in allowed:
                raise InvalidValueError(
                    f'TwoStreamResNet: `{name}` is {value!r}, expected one of {allowed}.'
                )

    def init_weights(self) -> None:
        """Load the ImageNet weights named by ``init_cfg`` into the trunk and all stems.

        Raises:
            ValueError: If the file does not fit the network.
            RuntimeError: If the weights cannot be had; says which key takes a local file.
        """
        parts = [part for part in self.modules() if isinstance(part, ResNetPart)]
        init_resnet_parts(self, parts, key='model.backbone.init_cfg')

    def embed_stems(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Run each modality through its own stem.

        Args:
            inputs: Images per modality, ``{'visible': (Nv, 3, H, W), 'infrared': (Ni, ...)}``;
                a modality may be absent.

        Returns:
            Stem maps per modality, (N, C, h, w), in the order of :data:`MODALITIES`.
        """
        return {key: self.stems[key](inputs[key]) for key in MODALITIES if key in inputs}

    def forward(
        self, inputs: dict[str, Tensor], stem_maps: dict[str, Tensor] | None = None
    ) -> Tensor:
        """Map images to one joint feature map.

        Args:
            inputs: As in :meth:`embed_stems`.
            stem_maps: What the trunk gets in place of the stems' output (N, C, h, w), such as that
                output with something added to it; ``inputs`` are not looked at then.

        Returns:
            Feature map, visible images first, shape (N, C, h, w).
        """
        if stem_maps is None:
            stem_maps = self.embed_stems(inputs)
        return self.plugins(self.trunk, torch.cat(list(stem_maps.values())))
