"""Pictures of images in rows and columns, such as images beside their translations."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from mmvireid.errors import InvalidValueError
from mmvireid.visualization.drawing import GAP, add_margin, add_title, text_width, widen, write

_LABEL = 22  # height of the line above a column
_SCALE = 0.4


def draw_image_grid(
    columns: Mapping[str, Sequence[np.ndarray]],
    captions: Sequence[str] = (),
    title: str = '',
    height: int = 128,
) -> np.ndarray:
    """Draw one column per kind of image, with its label above it, and one row per example.

    Args:
        columns: The images of every column by its label, uint8 BGR (h, w, 3), as many in each.
        captions: Text at the left of every row, or none at all.
        title: Text above everything.
        height: Height of every image in the picture, in pixels; its shape is kept.

    Returns:
        uint8 BGR picture (h, w, 3), wide enough for every text (ASCII).

    Raises:
        ValueError: If there is no image, if the columns differ in length, or if there are not as
            many captions as rows.

    Example:
        >>> image = np.zeros((32, 16, 3), np.uint8)
        >>> draw_image_grid({'visible': [image] * 2, 'infrared': [image] * 2}, height=64).dtype
        dtype('uint8')
    """
    _check(columns, captions)
    blocks = [
        _draw_column(label, [_resize(image, height) for image in images])
        for label, images in columns.items()
    ]
    if captions:
        blocks.insert(0, _draw_column('', [_text_image(text, height) for text in captions]))
    picture = add_margin(np.concatenate(blocks, axis=1), left=GAP)
    return add_title(picture, title) if title else picture


def _check(columns: Mapping[str, Sequence[np.ndarray]], captions: Sequence[str]) -> None:
    lengths = {label: len(images) for label, images in columns.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise InvalidValueError(
            f'draw_image_grid: `columns` have {lengths} images, expected at least one column, and '
            'in all of them the same number above 0.'
        )
    rows = next(iter(lengths.values()))
    if captions and len(captions) != rows:
        raise InvalidValueError(
            f'draw_image_grid: `captions` are {len(captions)}, expected {rows}, one per row, or '
            'none.'
        )


def _draw_column(label: str, images: Sequence[np.ndarray]) -> np.ndarray:
    """Images of equal height below each other, as wide as the widest, or as the label."""
    width = max(text_width(label, _SCALE) + GAP, *(image.shape[1] for image in images))
    cells = [add_margin(widen(image, width), below=GAP, right=GAP) for image in images]
    column = add_margin(np.concatenate(cells), above=_LABEL)
    write(column, label, (0, _LABEL - 8), _SCALE)
    return column


def _resize(image: np.ndarray, height: int) -> np.ndarray:
    width = max(1, round(image.shape[1] * height / image.shape[0]))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _text_image(text: str, height: int) -> np.ndarray:
    """A line of text, half-way up."""
    image = np.full((height, text_width(text, _SCALE) + GAP, 3), 255, np.uint8)
    write(image, text, (0, height // 2), _SCALE)
    return image
