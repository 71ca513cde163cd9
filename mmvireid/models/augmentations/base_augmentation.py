"""What all augmentations share: a space of values, a probability, and who is changed."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.models.layers import copy_to
from mmvireid.structures import ReIDDataSample

#: What the values of an image may be: in [0, 1] as in its file, or with ImageNet's mean and
#: standard deviation taken out.
SPACES = ('raw', 'normalized')


class BaseAugmentation(ABC):
    """A random change of training images on the device, drawn for each image by itself.

    Random numbers are drawn on the CPU from torch's generator, which every iteration seeds
    (``IterationSeedHook``), and copied to the device without waiting for it.

    Args:
        prob: Probability in [0, 1] that an image is changed.
        space: What its values are, ``'raw'`` or ``'normalized'``; an augmentation may know one
            alone. ``None`` for the first that it knows.

    Attributes:
        spaces (tuple[str, ...]): The spaces that it knows.

    Raises:
        ValueError: If an argument is not allowed.
    """

    spaces: tuple[str, ...] = SPACES

    def __init__(self, prob: float = 1.0, space: str | None = None) -> None:
        name = type(self).__name__
        if not 0 <= prob <= 1:
            raise InvalidValueError(f'{name}: `prob` is {prob}, expected a value in [0, 1].')
        if space is not None and space not in self.spaces:
            raise InvalidValueError(
                f'{name}: `space` is {space!r}, expected one of {self.spaces}: what it does has no '
                'meaning for other values.'
            )
        self.prob, self.space = prob, space or self.spaces[0]

    @abstractmethod
    def change(self, images: Tensor, samples: Sequence[ReIDDataSample]) -> Tensor:
        """Change every image.

        Args:
            images: RGB images in :attr:`space`, float32, on the device, shape (N, 3, H, W); not
                to be written to.
            samples: What is known of them; to be kept true (``picture_box``).

        Returns:
            The changed images, shape (N, 3, H, W).
        """

    def __call__(self, images: Tensor, samples: Sequence[ReIDDataSample]) -> Tensor:
        """Change each image with probability :attr:`prob`; arguments are those of `change`.

        Args:
            images: Shape (N, 3, H, W).
            samples: What is known of them.

        Returns:
            All images, in their order, shape (N, 3, H, W).
        """
        chosen = (torch.rand(len(images)) < self.prob).nonzero().flatten()
        if len(chosen) == len(images):
            return self.change(images, samples)
        if not len(chosen):
            return images
        rows = copy_to(images.device, chosen)
        changed = self.change(images.index_select(0, rows), [samples[i] for i in chosen.tolist()])
        return images.index_copy(0, rows, changed)
