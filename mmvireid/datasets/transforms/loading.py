"""From a file to an image of the size that a model wants."""

import numpy as np
from mmcv.transforms import BaseTransform

from mmvireid.errors import InvalidValueError
from mmvireid.pictures import INTERPOLATIONS, read_image, resize, to_bgr
from mmvireid.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadReIDImage(BaseTransform):
    """Load an image, unless it is already there, and resize it.

    Required Keys:

    - img_path (only without ``img``)
    - img (optional; what :func:`to_bgr` takes)

    Added Keys:

    - img (uint8 BGR, shape (H, W, 3))

    Args:
        size: (H, W) in pixels.
        backend: Who decodes and resizes: ``'cv2'`` or ``'pillow'``. They decode alike, see
            :func:`read_image`; pillow's interpolations widen when an image shrinks (no aliasing),
            cv2's do not.
        interpolation: ``'nearest'``, ``'bilinear'``, ``'bicubic'``, ``'lanczos'`` or ``'area'``.

    Raises:
        ValueError: If an argument is not one of these, or an image cannot be read.
    """

    def __init__(
        self,
        size: tuple[int, int],
        backend: str = 'cv2',
        interpolation: str = 'bilinear',
    ) -> None:
        if len(size) != 2 or min(size) < 1:
            raise InvalidValueError(
                f'LoadReIDImage: `size` is {size}, expected (H, W) of at least 1.'
            )
        if backend not in INTERPOLATIONS:
            raise InvalidValueError(
                f'LoadReIDImage: `backend` is {backend!r}, expected one of {[*INTERPOLATIONS]}.'
            )
        if interpolation not in INTERPOLATIONS[backend]:
            raise InvalidValueError(
                f'LoadReIDImage: `interpolation` is {interpolation!r}, expected one of '
                f'{[*INTERPOLATIONS[backend]]}.'
            )
        self.size = tuple(size)
        self.backend = backend
        self.interpolation = interpolation

    def load(self, path: str) -> np.ndarray:
        """The resized image of a file, uint8 BGR, shape (H, W, 3)."""
        return self._resize(read_image(path, self.backend))

    def transform(self, results: dict) -> dict:
        if 'img' in results:
            results['img'] = self._resize(to_bgr(results['img'], 'LoadReIDImage: `img`'))
        else:
            results['img'] = self.load(results['img_path'])
        return results

    def _resize(self, image: np.ndarray) -> np.ndarray:
        return resize(image, self.size, self.backend, self.interpolation)

    def __repr__(self) -> str:
        return (
            f'LoadReIDImage(size={self.size}, backend={self.backend!r}, '
            f'interpolation={self.interpolation!r})'
        )
