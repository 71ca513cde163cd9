"""Random rectangles that a model erases from its images on the device."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.transforms import RandomErasing


class RandomHoles(RandomErasing):
    """What torchvision's ``RandomErasing`` would erase from each image of a batch, as a mask.

    torchvision fills an image on a GPU with a tensor that lies on the CPU, and the GPU is waited
    for, once per image. A mask is drawn on the CPU, and goes to the device in one copy. What is
    drawn is the same.

    Args:
        p: Probability that an image has a hole, in [0, 1].
        scale: Smallest and largest part of the image, in (0, 1].
        ratio: Smallest and largest height / width; the logarithm is uniform.

    Example:
        >>> RandomHoles(p=1.0)((2, 3, 8, 4)).flatten(1).any(1)
        tensor([True, True])
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
    ) -> None:
        super().__init__(p, scale, ratio)

    def forward(self, shape: Sequence[int]) -> Tensor:
        """Draw the holes.

        Args:
            shape: Of the images, (N, C, H, W).

        Returns:
            Where the holes are, bool, on the CPU, shape (N, 1, H, W).
        """
        image = torch.empty(shape[1:], device='meta')  # asked for its size only
        holes = torch.zeros(shape[0], 1, *shape[2:], dtype=torch.bool)
        for hole in holes:
            if torch.rand(1) < self.p:
                top, left, height, width, filler = self.get_params(
                    image, self.scale, self.ratio, [0.0]
                )
                if filler is not image:  # no rectangle fitted: it stays as it is
                    hole[:, top : top + height, left : left + width] = True
        return holes
