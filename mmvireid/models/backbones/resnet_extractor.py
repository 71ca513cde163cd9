"""The first stages of a ResNet."""

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

from .resnet_part import STAGES, ResNetPart, ResNetStages, build_resnet, set_stride


@MODELS.register_module()
class ResNetExtractor(ResNetStages):
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
        if num_stages not in (1, 2, 3, 4):
            raise InvalidValueError(
                f'ResNetExtractor: `num_stages` is {num_stages!r}, expected 1 to 4.'
            )
        if last_stride not in (None, 1, 2) or (last_stride is not None and num_stages == 1):
            raise InvalidValueError(
                f'ResNetExtractor: `last_stride` is {last_stride!r}, expected 1 or 2, or None '
                '(always for a single stage).'
            )
        resnet = build_resnet(depth)
        if last_stride is not None:
            set_stride(getattr(resnet, STAGES[num_stages]), last_stride)
        super().__init__(ResNetPart(resnet, STAGES[: num_stages + 1]), init_cfg)
        self.stride = 2 ** (num_stages + 1) if last_stride is None else 2**num_stages * last_stride
