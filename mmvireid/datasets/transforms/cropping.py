"""Shifted views of an image."""

import random

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmvireid.errors import InvalidValueError
from mmvireid.registry import TRANSFORMS

#: Where the box of the picture stands: under this name mmcv's transforms (flips, crops, ...) move
#: it with the image.
PICTURE_BOX = 'gt_bboxes'


@TRANSFORMS.register_module()
class RandomPadCrop(BaseTransform):
    """Pad all sides with black and cut a window of the old size at a random place.

    Which part of the result is picture and which is padding is kept: see ``picture_box`` of
    :class:`~mmvireid.structures.ReIDDataSample`.

    Required Keys:

    - img
    - gt_bboxes (optional; int64, shape (1, 4), if a part of the image is padding already)

    Modified Keys:

    - img

    Added Keys:

    - gt_bboxes (left, top, right and bottom of the picture, int64, shape (1, 4))

    Args:
        padding: Pixels added on every side. The window moves by up to as many in each direction.
    """

    def __init__(self, padding: int = 10) -> None:
        if padding < 0:
            raise InvalidValueError(f'RandomPadCrop: `padding` is {padding}, expected 0 or more.')
        self.padding = padding

    @cache_randomness
    def _draw_offset(self) -> tuple[int, int]:
        """Top and left edge of the window in the padded image."""
        return random.randint(0, 2 * self.padding), random.randint(0, 2 * self.padding)

    def transform(self, results: dict) -> dict:
        image = results['img']
        height, width = image.shape[:2]
        top, left = self._draw_offset()
        padded = cv2.copyMakeBorder(image, *[self.padding] * 4, cv2.BORDER_CONSTANT)
        results['img'] = padded[top : top + height, left : left + width]
        size = np.array([width, height] * 2)
        picture = results.get(PICTURE_BOX, np.array([[0, 0, width, height]]))
        moved = picture + self.padding - np.array([left, top] * 2)
        results[PICTURE_BOX] = moved.clip(0, size)
        return results

    def __repr__(self) -> str:
        return f'RandomPadCrop(padding={self.padding})'
