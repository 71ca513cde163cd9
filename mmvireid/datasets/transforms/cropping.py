"""Shifted views of an image."""

import random

import cv2
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmvireid.errors import InvalidValueError
from mmvireid.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomPadCrop(BaseTransform):
    """Pad all sides with black and cut a window of the old size at a random place.

    Required Keys:

    - img

    Modified Keys:

    - img

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
        return results

    def __repr__(self) -> str:
        return f'RandomPadCrop(padding={self.padding})'
