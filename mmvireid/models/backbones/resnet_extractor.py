"""The first stages of a ResNet."""

from mmengine.model import BaseModule
from torch import Tensor

from mmvireid.registry import MODELS

from .resnet_part import STAGES, ResNetPart, build_resnet, load_resnet_parts, set_stride


@MODELS.register_module()
class ResNetExtractor(BaseModule):
    """First stages of a ResNet, for methods with an extractor per modality.

    Args:
        depth: 18, 34, 50 or 101.
        num_stages: Number of residual stages, 1 to 4.
        last_stride: Stride of the last stage, 1 or 2; ``None`` leaves it as it is, 1 for a single
            stage and 2 for more.
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` as in :class:`TwoStreamResNet`.

    Attributes:
        out_channels (int): Channels C of the map, 1024 for three stages of ResNet-50.
        stride (int): Pixels per position of the map, 16 for three stages.

    Raises:
        ValueError: If an argument is not allowed.

    Example:
        >>> import torch
        >>> ResNetExtractor(18, num_stages=2)(torch.rand(2, 3, 64, 32)).shape
        torch.Size([2, 128, 8, 4])
    """

    def __init__(
        self,
        depth: int = 50,
        num_stages: int = 3,
        last_stride: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_stages not in (1, 2, 3, 4):
            raise ValueError(f'ResNetExtractor: `num_stages` is {num_stages!r}, expected 1 to 4.')
        if last_stride not in (None, 1, 2) or (last_stride is not None and num_stages == 1):
            raise ValueError(
                f'ResNetExtractor: `last_stride` is {last_stride!r}, expected 1 or 2, or None '
                '(always for a single stage).'
            )
        resnet = build_resnet(depth)
        self.stride = 2 ** (num_stages + 1)
        if last_stride is not None:
            set_stride(getattr(resnet, STAGES[num_stages]), last_stride)
            self.stride = 2**num_stages * last_stride
        self.stages = ResNetPart(resnet, STAGES[: num_stages + 1])
        self.out_channels = self.stages.out_channels

    def init_weights(self) -> None:
        """Load the ImageNet weights named by ``init_cfg``."""
        if self.init_cfg is not None and not self.is_init:
            checkpoint = self.init_cfg['checkpoint']
            load_resnet_parts([self.stages], checkpoint, key='model.extractor.init_cfg')
        self._is_init = True

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to a feature map (N, C, H / stride, W / stride)."""
        return self.stages(images)
