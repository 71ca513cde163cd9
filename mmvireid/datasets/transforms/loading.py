"""From a file to an image of the size that a model wants."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from PIL import Image

from mmvireid.errors import InvalidValueError
from mmvireid.registry import TRANSFORMS

CV2_INTERPOLATIONS = {
    'nearest': cv2.INTER_NEAREST,
    'bilinear': cv2.INTER_LINEAR,
    'bicubic': cv2.INTER_CUBIC,
    'lanczos': cv2.INTER_LANCZOS4,
    'area': cv2.INTER_AREA,
}
PILLOW_INTERPOLATIONS = {
    'nearest': Image.Resampling.NEAREST,
    'bilinear': Image.Resampling.BILINEAR,
    'bicubic': Image.Resampling.BICUBIC,
    'lanczos': Image.Resampling.LANCZOS,
    'area': Image.Resampling.BOX,
}
INTERPOLATIONS = {'cv2': CV2_INTERPOLATIONS, 'pillow': PILLOW_INTERPOLATIONS}


def read_image(path: str, backend: str = 'cv2') -> np.ndarray:
    """Decodes an image file.

    Args:
        path: Any format that the backend knows; grey ones get three equal channels.
        backend: ``'cv2'`` or ``'pillow'``. Pillow also refuses files whose end is missing.

    Returns:
        uint8 BGR, shape (h, w, 3).

    Raises:
        ValueError: If the file is missing, empty or cannot be decoded; the message names it.
    """
    try:
        if backend == 'pillow':
            with Image.open(path) as image:
                return np.ascontiguousarray(np.asarray(image.convert('RGB'))[..., ::-1])
        # Like Pillow, cv2 must not turn an image that carries an orientation.
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        image = cv2.imdecode(np.fromfile(path, np.uint8), flags)
        reason = 'no decoder can read it'
    except (OSError, SyntaxError, cv2.error) as error:  # Pillow raises SyntaxError on broken PNGs
        image, reason = None, str(error).strip()
    if image is None:
        raise InvalidValueError(
            f'read_image: cannot read {path} ({reason}). Run tools/dataset_converters/'
            'check_dataset.py to find all such files, and fetch them again.'
        )
    return image


@TRANSFORMS.register_module()
class LoadReIDImage(BaseTransform):
    """Load an image, unless it is already there, and resize it.

    Required Keys:

    - img_path (only without ``img``)
    - img (optional; uint8 BGR, shape (h, w, 3), or grey, shape (h, w) or (h, w, 1))

    Added Keys:

    - img (uint8 BGR, shape (H, W, 3))

    Args:
        size: (H, W) in pixels.
        backend: Who decodes and resizes: ``'cv2'`` or ``'pillow'``. They decode alike; pillow's
            interpolations widen when an image shrinks (no aliasing), cv2's do not.
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
            results['img'] = self._resize(_as_color(results['img']))
        else:
            results['img'] = self.load(results['img_path'])
        return results

    def _resize(self, image: np.ndarray) -> np.ndarray:
        if image.shape[:2] == self.size:
            return image
        width_height = self.size[::-1]
        method = INTERPOLATIONS[self.backend][self.interpolation]
        if self.backend == 'pillow':
            return np.array(Image.fromarray(image).resize(width_height, method))
        return cv2.resize(image, width_height, interpolation=method)

    def __repr__(self) -> str:
        return (
            f'LoadReIDImage(size={self.size}, backend={self.backend!r}, '
            f'interpolation={self.interpolation!r})'
        )


def _as_color(image: np.ndarray) -> np.ndarray:
    grey = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 1)
    if image.dtype != np.uint8 or not (grey or (image.ndim == 3 and image.shape[2] == 3)):
        raise InvalidValueError(
            f'LoadReIDImage: `img` is {image.dtype} of shape {image.shape}, expected uint8 of '
            'shape (h, w, 3) in BGR, or grey of shape (h, w) or (h, w, 1).'
        )
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if grey else image
