"""Images whose channels have changed places."""

import torch
from torch import Tensor

from mmvireid.models.augmentations import ChannelMixing
from mmvireid.registry import MODELS


@MODELS.register_module()
class ChannelPermutationAugmentation(ChannelMixing):
    """Exchange red, green and blue: one of the six orders, drawn for each image.

    Shapes and textures stay, colours do not. Infrared images, whose channels are equal, stay too.

    Args:
        prob: Probability in [0, 1] that an image is changed.
        space: ``'raw'``: of normalised values each channel would get the figures of another one.
    """

    spaces = ('raw',)

    def draw_weights(self, count: int) -> Tensor:
        """Draw the orders, as permutation matrices (N, 3, 3)."""
        return torch.eye(3)[torch.rand(count, 3).argsort(dim=1)]
