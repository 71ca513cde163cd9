"""Images in another light, or out of focus."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.models.layers import copy_to
from mmvireid.registry import MODELS
from mmvireid.structures import ReIDDataSample

from .base_augmentation import BaseAugmentation
from .channel_mixing import GREY_WEIGHTS


@MODELS.register_module()
class LightJitterAugmentation(BaseAugmentation):
    r"""Another brightness and another contrast, one after the other in random order.

    .. math:: x' = [b x]_0^1, \quad x' = [c x + (1 - c) \bar g]_0^1

    with the mean :math:`\bar g` of the image's grey, as torchvision's ``ColorJitter`` does.

    Args:
        brightness: Factors b are uniform within this much of 1, at least 0.
        contrast: Factors c likewise.
        prob: As in :class:`BaseAugmentation`.
        space: ``'raw'``.

    Raises:
        ValueError: If an argument is not allowed.
    """

    spaces = ('raw',)

    def __init__(
        self,
        brightness: float = 0.3,
        contrast: float = 0.3,
        prob: float = 1.0,
        space: str | None = None,
    ) -> None:
        super().__init__(prob, space)
        if min(brightness, contrast) < 0:
            raise InvalidValueError(
                f'LightJitterAugmentation: `brightness` is {brightness} and `contrast` {contrast}, '
                'expected at least 0.'
            )
        self.brightness, self.contrast = brightness, contrast

    def draw_factors(self, count: int) -> Tensor:
        """Brightness before, contrast, brightness behind it; one of the first and last is 1.

        Args:
            count: Number N of images.

        Returns:
            On the CPU, shape (3, N, 1, 1, 1).
        """
        brightness, contrast = (
            torch.empty(count).uniform_(max(0.0, 1 - width), 1 + width)
            for width in (self.brightness, self.contrast)
        )
        before = torch.rand(count) < 0.5
        factors = [torch.where(before, brightness, 1), contrast, torch.where(before, 1, brightness)]
        return torch.stack(factors).view(3, count, 1, 1, 1)

    def change(self, images: Tensor, samples: Sequence[ReIDDataSample]) -> Tensor:
        before, contrast, behind = copy_to(images.device, self.draw_factors(len(images)))
        weights = copy_to(images.device, torch.tensor(GREY_WEIGHTS).view(3, 1, 1))
        images = (images * before).clamp(0, 1)
        mean = (images * weights).sum(1, keepdim=True).mean((2, 3), keepdim=True)
        images = (contrast * images + (1 - contrast) * mean).clamp(0, 1)
        return (images * behind).clamp(0, 1)


@MODELS.register_module()
class BlurAugmentation(BaseAugmentation):
    """Blur with a Gaussian of a width of its own for each image; edges are mirrored.

    Args:
        kernel_size: Pixels that a pixel is mixed of, odd; images have to be larger than half of it.
        sigma: Smallest and largest standard deviation in pixels, uniform.
        prob: As in :class:`BaseAugmentation`.
        space: ``'raw'`` or ``'normalized'``: it is the same in both.

    Raises:
        ValueError: If an argument is not allowed.
    """

    def __init__(
        self,
        kernel_size: int = 21,
        sigma: Sequence[float] = (0.1, 3.0),
        prob: float = 1.0,
        space: str | None = None,
    ) -> None:
        super().__init__(prob, space)
        if kernel_size % 2 != 1 or not 0 < sigma[0] <= sigma[1]:
            raise InvalidValueError(
                f'BlurAugmentation: `kernel_size` is {kernel_size} and `sigma` {tuple(sigma)}, '
                'expected an odd number, and 0 < low <= high.'
            )
        self.kernel_size, self.sigma = kernel_size, tuple(sigma)

    def change(self, images: Tensor, samples: Sequence[ReIDDataSample]) -> Tensor:
        count, channels, height, width = images.shape
        half = self.kernel_size // 2
        sigma = torch.empty(count, 1).uniform_(*self.sigma)
        kernels = (-0.5 * (torch.arange(-half, half + 1) / sigma) ** 2).softmax(dim=1)  # (N, k)
        kernels = copy_to(images.device, kernels).repeat_interleave(channels, dim=0)
        # every channel of every image is a group with its own kernel, down and then across
        maps = F.pad(images, (half,) * 4, mode='reflect')
        maps = maps.reshape(1, count * channels, height + 2 * half, width + 2 * half)
        maps = F.conv2d(maps, kernels[:, None, :, None], groups=count * channels)
        maps = F.conv2d(maps, kernels[:, None, None, :], groups=count * channels)
        return maps.view(images.shape)
