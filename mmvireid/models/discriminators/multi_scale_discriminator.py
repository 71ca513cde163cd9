"""A critic that looks at an image at several sizes."""

from collections.abc import Sequence

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.models.layers import init_convolutions
from mmvireid.models.layers.reflected import SLOPE, ReflectedResidualBlock, reflected_conv
from mmvireid.registry import MODELS


def critic(base_channels: int, num_blocks: int) -> nn.Sequential:
    """The critic of one size: one logit per 4 x 4 pixels, without normalisation."""
    b = base_channels
    layers = []
    for convolution in (
        reflected_conv(3, b, 1),
        reflected_conv(b, b, 3),
        reflected_conv(b, b, 3, stride=2),
        reflected_conv(b, b, 3),
        reflected_conv(b, 2 * b, 3, stride=2),
    ):
        layers += [convolution, nn.LeakyReLU(SLOPE)]
    layers += [ReflectedResidualBlock(2 * b) for _ in range(num_blocks)]
    return nn.Sequential(*layers, reflected_conv(2 * b, 1, 1))


@MODELS.register_module()
class MultiScaleDiscriminator(BaseModule):
    """Critics of the same image at several sizes, each half as high and wide as the one before.

    There is no normalisation: with small initial weights the first logits, and what generators
    learn from them, are tiny until the critics have learned something.

    Source: Hi-CMD (Choi et al., CVPR 2020), as released.

    Args:
        base_channels: Channels of the first layer.
        num_scales: Number of sizes.
        num_blocks: Residual blocks of each critic.
        init_std: Standard deviation of the initial weights. 0.02 is the released one; narrow
            critics need more, or they learn nothing for long.

    Example:
        >>> import torch
        >>> discriminator = MultiScaleDiscriminator(4, num_scales=2, num_blocks=1)
        >>> [tuple(logits.shape) for logits in discriminator(torch.rand(2, 3, 32, 16))]
        [(2, 1, 8, 4), (2, 1, 4, 2)]
    """

    def __init__(
        self,
        base_channels: int = 32,
        num_scales: int = 3,
        num_blocks: int = 4,
        init_std: float = 0.02,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.critics = nn.ModuleList(critic(base_channels, num_blocks) for _ in range(num_scales))
        init_convolutions(self, init_std)

    def check_size(self, size: Sequence[int]) -> None:
        """Check that images of a size are large enough, before training.

        Args:
            size: Their height and width.

        Raises:
            ValueError: If the smallest map has no two positions in a direction to reflect.
        """
        factor = 2 ** (len(self.critics) + 1)
        if min(size) <= factor:
            raise InvalidValueError(
                f'MultiScaleDiscriminator: `input_size` is {tuple(size)}, expected more than '
                f'{factor} in both directions: {len(self.critics)} scales and two strides reduce '
                f'it {factor} times. Or lower `num_scales`.'
            )

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Judge images (N, 3, H, W): logits (N, 1, h, w) of every size, the largest first."""
        logits = []
        for index, judge in enumerate(self.critics):
            if index > 0:
                images = F.avg_pool2d(images, 3, stride=2, padding=1, count_include_pad=False)
            logits.append(judge(images))
        return tuple(logits)
