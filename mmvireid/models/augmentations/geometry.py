"""Images shifted and mirrored."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.models.layers import copy_to
from mmvireid.registry import MODELS
from mmvireid.structures import ReIDDataSample

from .base_augmentation import BaseAugmentation


def picture_box(sample: ReIDDataSample, height: int, width: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the picture in an image of that size."""
    return sample.get('picture_box', (0, 0, width, height))


@MODELS.register_module()
class PadCropAugmentation(BaseAugmentation):
    """Pad all sides with one value and cut a window of the old size at a random place.

    As :class:`~mmvireid.datasets.transforms.RandomPadCrop` does to a file's image: for views that
    each have a place of their own. ``picture_box`` of the samples moves along.

    Args:
        padding: Pixels added on every side, at least 0. The window moves by up to as many in each
            direction.
        fill: Value of the padding, in [0, 1]: 0 is black.
        prob: As in :class:`BaseAugmentation`.
        space: ``'raw'``.

    Raises:
        ValueError: If an argument is not allowed.
    """

    spaces = ('raw',)

    def __init__(
        self, padding: int = 10, fill: float = 0.0, prob: float = 1.0, space: str | None = None
    ) -> None:
        super().__init__(prob, space)
        if padding < 0 or not 0 <= fill <= 1:
            raise InvalidValueError(
                f'PadCropAugmentation: `padding` is {padding} and `fill` {fill}, expected at least '
                '0, and a value in [0, 1].'
            )
        self.padding, self.fill = padding, fill

    def change(self, images: Tensor, samples: Sequence[ReIDDataSample]) -> Tensor:
        count, _, height, width = images.shape
        offsets = torch.randint(2 * self.padding + 1, (count, 2))  # top and left of the window
        for sample, (top, left) in zip(samples, offsets.tolist()):
            box = picture_box(sample, height, width)
            moves, ends = (self.padding - left, self.padding - top), (width, height)
            moved = [min(max(box[i] + moves[i % 2], 0), ends[i % 2]) for i in range(4)]
            sample.set_metainfo(dict(picture_box=tuple(moved)))
        padded = F.pad(images, (self.padding,) * 4, value=self.fill)
        device = images.device
        top, left = copy_to(device, offsets).unbind(1)
        rows = top[:, None] + torch.arange(height, device=device)  # (N, H)
        columns = left[:, None] + torch.arange(width, device=device)  # (N, W)
        numbers = torch.arange(count, device=device)[:, None, None]
        # one gather for all windows; its result is (N, H, W, 3)
        windows = padded.permute(0, 2, 3, 1)[numbers, rows[:, :, None], columns[:, None]]
        return windows.permute(0, 3, 1, 2)


@MODELS.register_module()
class FlipAugmentation(BaseAugmentation):
    """Mirror images left to right. ``picture_box`` of the samples moves along.

    Args:
        prob: As in :class:`BaseAugmentation`.
        space: Either; the values stay as they are.
    """

    def __init__(self, prob: float = 0.5, space: str | None = None) -> None:
        super().__init__(prob, space)

    def change(self, images: Tensor, samples: Sequence[ReIDDataSample]) -> Tensor:
        height, width = images.shape[2:]
        for sample in samples:
            left, top, right, bottom = picture_box(sample, height, width)
            sample.set_metainfo(dict(picture_box=(width - right, top, width - left, bottom)))
        return images.flip(3)
