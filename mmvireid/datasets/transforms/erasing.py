"""Images with a part missing."""

import math
import random
from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmvireid.errors import InvalidValueError
from mmvireid.registry import TRANSFORMS

MAX_TRIES = 100


@TRANSFORMS.register_module()
class RandomErasing(BaseTransform):
    """Fill a random rectangle with one colour (Zhong et al., AAAI 2020).

    With probability ``prob``: area and aspect (height / width) are uniform in their ranges and
    drawn again, up to 100 times, until the rounded rectangle is smaller than the image in both
    directions; its place is uniform.

    Deviation: released code erases after normalisation, with 0. Here images are uint8 until they
    are on the device, so the rectangle gets the mean colour, which normalisation turns into 0 up
    to rounding (at most 0.009 with ImageNet's figures).

    Required Keys:

    - img

    Modified Keys:

    - img

    Args:
        prob: Probability in [0, 1].
        area_range: Smallest and largest part of the image, in (0, 1].
        aspect_range: Smallest and largest height / width.
        fill_color: Blue, green and red of the rectangle, in [0, 255]; ImageNet's mean by default.
    """

    def __init__(
        self,
        prob: float = 0.5,
        area_range: tuple[float, float] = (0.02, 0.4),
        aspect_range: tuple[float, float] = (0.3, 3.33),
        fill_color: Sequence[float] = (103.53, 116.28, 123.675),
    ) -> None:
        if not 0 <= prob <= 1:
            raise InvalidValueError(f'RandomErasing: `prob` is {prob}, expected a value in [0, 1].')
        if not 0 < area_range[0] <= area_range[1] <= 1:
            raise InvalidValueError(
                f'RandomErasing: `area_range` is {area_range}, expected low <= high in (0, 1].'
            )
        if not 0 < aspect_range[0] <= aspect_range[1]:
            raise InvalidValueError(
                f'RandomErasing: `aspect_range` is {aspect_range}, expected 0 < low <= high.'
            )
        if len(fill_color) != 3 or min(fill_color) < 0 or max(fill_color) > 255:
            raise InvalidValueError(
                f'RandomErasing: `fill_color` is {fill_color}, expected three values in [0, 255].'
            )
        self.prob = prob
        self.area_range = area_range
        self.aspect_range = aspect_range
        self.fill_color = np.round(fill_color).astype(np.uint8)

    @cache_randomness
    def _draw_rectangle(self, height: int, width: int) -> tuple[int, int, int, int] | None:
        """Top, left, height and width of the rectangle; None to leave the image as it is."""
        if random.random() >= self.prob:
            return None
        for _ in range(MAX_TRIES):
            area = random.uniform(*self.area_range) * height * width
            aspect = random.uniform(*self.aspect_range)
            rows, columns = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < rows < height and 0 < columns < width:
                top = random.randint(0, height - rows)
                return top, random.randint(0, width - columns), rows, columns
        return None

    def transform(self, results: dict) -> dict:
        rectangle = self._draw_rectangle(*results['img'].shape[:2])
        if rectangle is not None:
            top, left, rows, columns = rectangle
            # plane by plane: a mirrored view takes ten times as long to copy pixel by pixel
            image = results['img'].transpose(2, 0, 1).copy().transpose(1, 2, 0)
            image[top : top + rows, left : left + columns] = self.fill_color
            results['img'] = image
        return results

    def __repr__(self) -> str:
        return (
            f'RandomErasing(prob={self.prob}, area_range={self.area_range}, '
            f'aspect_range={self.aspect_range}, fill_color={self.fill_color.tolist()})'
        )
