"""From a feature map to a Gaussian code."""

from typing import NamedTuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.models.backbones.resnet_part import (
    STAGES,
    ResNetPart,
    build_resnet,
    init_resnet_parts,
    set_stride,
    stage_channels,
)
from mmvireid.registry import MODELS


class GaussianCode(NamedTuple):
    """A Gaussian with diagonal covariance for every image, both (N, D).

    Attributes:
        mean: Its mean.
        log_var: Logarithm of its variances.
    """

    mean: Tensor
    log_var: Tensor

    def sample(self) -> Tensor:
        """Draw a code (N, D), differentiably (Kingma and Welling, 2014)."""
        return self.mean + (0.5 * self.log_var).exp() * torch.randn_like(self.mean)


@MODELS.register_module()
class GaussianEncoder(BaseModule):
    """Residual blocks of a ResNet's stage, then two heads: mean and log-variance.

    A head is a 1x1 convolution followed by pooling over all positions. The log-variance is
    predicted, never the deviation, and clamped so that its exponential stays finite in half
    precision. Its head starts near 0, so a code starts with variance 1.

    Args:
        code_size: Dimensions D of the code.
        pooling: Config of the pooling, (N, D, h, w) -> (N, D).
        depth: Depth of the ResNet that gives the blocks.
        stage: The stage that gives them, such as ``'layer4'``.
        num_blocks: How many of its blocks are taken, from its beginning.
        stride: Stride of the first block, 1 or 2.
        normalize_mean: Whether means are normalised over the batch, to mean 0 and variance 1 in
            every dimension. Not in DG-VAE's paper, but a part of the method as it is here: codes
            then have the scale of the mixture prior's unit variances, and lowering its divergence
            is no longer possible by shrinking everything, only by making the codes of an identity
            alike, against the fixed variance of all. A prior that has a say in the means' own
            variance, such as a standard Gaussian, can do nothing then.
        max_log_var: Bound of the absolute log-variance.
        in_channels: Channels of the maps that it will be given, to be checked; the stage decides.
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` for the blocks, as in
            :class:`~mmvireid.models.backbones.TwoStreamResNet`.

    Attributes:
        in_channels (int): Channels of the maps that it takes, 1024 for layer4 of ResNet-50.

    Raises:
        ValueError: If an argument is not allowed.

    Example:
        >>> encoder = GaussianEncoder(8, dict(type='MaxPooling'), depth=18, stage='layer3')
        >>> encoder(torch.rand(2, 128, 4, 2)).mean.shape
        torch.Size([2, 8])
    """

    def __init__(
        self,
        code_size: int,
        pooling: dict,
        depth: int = 50,
        stage: str = 'layer4',
        num_blocks: int = 2,
        stride: int = 1,
        normalize_mean: bool = False,
        max_log_var: float = 10.0,
        in_channels: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if stage not in STAGES[2:] or stride not in (1, 2):
            raise InvalidValueError(
                f'GaussianEncoder: `stage` is {stage!r} and `stride` {stride!r}, expected one of '
                f'{STAGES[2:]}, and 1 or 2.'
            )
        resnet = build_resnet(depth)
        set_stride(getattr(resnet, stage), stride)
        if not 1 <= num_blocks <= len(getattr(resnet, stage)):
            raise InvalidValueError(
                f'GaussianEncoder: `num_blocks` is {num_blocks}, expected 1 to '
                f'{len(getattr(resnet, stage))}, the blocks of {stage}.'
            )
        self.in_channels = stage_channels(getattr(resnet, STAGES[STAGES.index(stage) - 1]))
        if in_channels not in (None, self.in_channels):
            raise InvalidValueError(
                f'GaussianEncoder: `in_channels` is {in_channels}, expected {self.in_channels}, '
                f'what {stage} of a ResNet-{depth} takes: choose `depth` and `stage` accordingly.'
            )
        self.blocks = ResNetPart(resnet, (stage,), num_blocks=num_blocks)
        self.mean_head = nn.Conv2d(self.blocks.out_channels, code_size, 1)
        self.log_var_head = nn.Conv2d(self.blocks.out_channels, code_size, 1)
        nn.init.normal_(self.log_var_head.weight, std=1e-3)
        nn.init.zeros_(self.log_var_head.bias)
        self.pooling = MODELS.build(pooling)
        self.norm = nn.BatchNorm1d(code_size, affine=False) if normalize_mean else nn.Identity()
        self.code_size = code_size
        self.max_log_var = max_log_var

    def init_weights(self) -> None:
        """Load the ImageNet weights of the blocks named by ``init_cfg``."""
        init_resnet_parts(self, [self.blocks], key='model.*_encoder.init_cfg')

    def forward(self, feature_map: Tensor) -> GaussianCode:
        """Encode a map (N, C, h, w); the code is float32, also inside autocast."""
        hidden = self.blocks(feature_map)
        log_var = self.pooling(self.log_var_head(hidden))
        return GaussianCode(
            self.norm(self.pooling(self.mean_head(hidden))),
            log_var.clamp(-self.max_log_var, self.max_log_var),
        )
