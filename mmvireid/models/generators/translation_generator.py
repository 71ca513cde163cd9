"""From an image of one modality to one of the other."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.models.layers import check_reduced_size, init_convolutions
from mmvireid.registry import MODELS


def instance_norm(channels: int, running_statistics: bool) -> nn.InstanceNorm2d:
    """InstanceNorm with gains and offsets."""
    return nn.InstanceNorm2d(channels, affine=True, track_running_stats=running_statistics)


def with_norm(convolution: nn.Module, running_statistics: bool) -> list[nn.Module]:
    """A convolution, InstanceNorm and ReLU."""
    norm = instance_norm(convolution.out_channels, running_statistics)
    return [convolution, norm, nn.ReLU(inplace=True)]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with normalisation beside a shortcut; nothing behind their sum.

    Args:
        channels: Channels of input and output.
        running_statistics: As in :class:`TranslationGenerator`.
    """

    def __init__(self, channels: int, running_statistics: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *with_norm(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), running_statistics),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            instance_norm(channels, running_statistics),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C, h, w)."""
        return maps + self.layers(maps)


@MODELS.register_module()
class TranslationGenerator(BaseModule):
    """Image to image: strided convolutions, residual blocks, transposed convolutions.

    Channels double with each halving of the size. InstanceNorm and ReLU follow every convolution
    but the last, which tanh follows.

    Source: AlignGAN (Wang et al., ICCV 2019), as released.
    Deviation: the released InstanceNorm normalises with running averages in evaluation, so that
    its test images differ from those of training; see ``running_statistics``.

    Args:
        base_channels: Channels at full size.
        num_downs: How often height and width are halved.
        num_blocks: Number of residual blocks at the smallest size.
        running_statistics: Whether InstanceNorm uses running averages in evaluation, instead of
            each image's own statistics always.

    Attributes:
        factor (int): What height and width of an image must be multiples of.

    Example:
        >>> import torch
        >>> TranslationGenerator(base_channels=4, num_blocks=1)(torch.rand(2, 3, 16, 8)).shape
        torch.Size([2, 3, 16, 8])
    """

    def __init__(
        self,
        base_channels: int = 64,
        num_downs: int = 2,
        num_blocks: int = 4,
        running_statistics: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_downs = num_downs
        self.factor = 2**num_downs
        widths = [base_channels * 2**index for index in range(num_downs)]
        layers = with_norm(nn.Conv2d(3, base_channels, 7, 1, 3, bias=False), running_statistics)
        for width in widths:
            strided = nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False)
            layers += with_norm(strided, running_statistics)
        deepest = base_channels * self.factor
        layers += [ResidualBlock(deepest, running_statistics) for _ in range(num_blocks)]
        for width in reversed(widths):
            transposed = nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False)
            layers += with_norm(transposed, running_statistics)
        layers += [nn.Conv2d(base_channels, 3, 7, 1, 3, bias=False), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        init_convolutions(self)

    def check_size(self, size: Sequence[int]) -> None:
        """Check that images of a size can be translated, before training.

        Args:
            size: Their height and width.

        Raises:
            ValueError: If they cannot be halved ``num_downs`` times, or vanish then.
        """
        if any(length % self.factor for length in size):
            raise InvalidValueError(
                f'TranslationGenerator: `input_size` is {tuple(size)}, expected multiples of '
                f'{self.factor}: the generator halves it {self.num_downs} times.'
            )
        check_reduced_size('TranslationGenerator', size, self.factor)

    def forward(self, images: Tensor) -> Tensor:
        """Translate images (N, 3, H, W), RGB in [-1, 1], to images of the same shape and range."""
        return self.layers(images)
