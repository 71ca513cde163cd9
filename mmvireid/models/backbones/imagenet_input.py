"""From a generator's image to the input of a network trained on ImageNet."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.models.layers import IMAGENET_MEAN, IMAGENET_STD
from mmvireid.registry import MODELS


@MODELS.register_module()
class ImageNetInput(nn.Module):
    """Bring images from [-1, 1] to ImageNet's mean and deviation, and to a size, differentiably.

    Nothing of it is saved in checkpoints.

    Args:
        size: Height and width of the output (bilinear).

    Example:
        >>> ImageNetInput((8, 4))(torch.zeros(2, 3, 16, 16)).shape
        torch.Size([2, 3, 8, 4])
    """

    def __init__(self, size: Sequence[int] = (384, 192)) -> None:
        super().__init__()
        self.size = tuple(size)
        # x in [-1, 1] is (x + 1) / 2 in [0, 1]
        mean, std = 2 * torch.tensor(IMAGENET_MEAN) - 1, 2 * torch.tensor(IMAGENET_STD)
        self.register_buffer('mean', mean.view(3, 1, 1), persistent=False)
        self.register_buffer('std', std.view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map RGB images (N, 3, H, W) in [-1, 1] to ``(N, 3, *size)``, in float32 at least."""
        # normalised first: the fewer pixels, and in float32 also inside autocast
        return F.interpolate((images - self.mean) / self.std, self.size, mode='bilinear')
