"""Images in another light."""

import random

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmvireid.errors import InvalidValueError
from mmvireid.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomChannelGain(BaseTransform):
    """Multiply each channel by a factor of its own, as another light or white balance would.

    Factors are uniform in their range and independent of each other; what exceeds 255 is clipped.

    Required Keys:

    - img

    Modified Keys:

    - img

    Args:
        gain_range: Smallest and largest factor, not negative.

    Raises:
        ValueError: If it is no such range.
    """

    def __init__(self, gain_range: tuple[float, float] = (0.7, 1.3)) -> None:
        if not 0 <= gain_range[0] <= gain_range[1]:
            raise InvalidValueError(
                f'RandomChannelGain: `gain_range` is {tuple(gain_range)}, expected '
                '0 <= low <= high.'
            )
        self.gain_range = tuple(gain_range)

    @cache_randomness
    def _draw_gains(self) -> list[float]:
        """The factors of blue, green and red."""
        return [random.uniform(*self.gain_range) for _ in range(3)]

    def transform(self, results: dict) -> dict:
        image = results['img'] * np.array(self._draw_gains(), np.float32)
        results['img'] = image.round().clip(0, 255).astype(np.uint8)
        return results

    def __repr__(self) -> str:
        return f'RandomChannelGain(gain_range={self.gain_range})'
