"""What the drawn pictures share: white margins, text and a title."""

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mmvireid.storage import new_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: White space between pictures, in pixels.
GAP = 6
_HEADER = 30
_TITLE_SCALE = 0.45
#: Pixels per inch of a figure.
_DPI = 150


def text_width(text: str, scale: float) -> int:
    """Width of a line of text in pixels."""
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    return width


def write(image: np.ndarray, text: str, origin: tuple[int, int], scale: float) -> None:
    """Write a line of text (ASCII) into a picture, in place.

    Args:
        image: uint8 BGR picture.
        text: The line.
        origin: Where it begins: x and y of its lower left corner.
        scale: Size of the font; 1 is about 22 pixels high.
    """
    cv2.putText(image, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, (30, 30, 30), 1, cv2.LINE_AA)


def add_margin(
    image: np.ndarray, above: int = 0, below: int = 0, left: int = 0, right: int = 0
) -> np.ndarray:
    """A copy with white margins, in pixels."""
    white = (255, 255, 255)
    return cv2.copyMakeBorder(image, above, below, left, right, cv2.BORDER_CONSTANT, value=white)


def widen(image: np.ndarray, width: int) -> np.ndarray:
    """A copy that is at least so wide, white at the right."""
    return add_margin(image, right=max(0, width - image.shape[1]))


def add_title(picture: np.ndarray, title: str) -> np.ndarray:
    """Write a title above a picture; one that is longer than the picture widens it."""
    picture = widen(picture, text_width(title, _TITLE_SCALE) + 2 * GAP)
    picture = add_margin(picture, above=_HEADER)
    write(picture, title, (GAP, _HEADER - 10), _TITLE_SCALE)
    return picture


def write_figure(figure: 'Figure', path: str | Path) -> None:
    """Write a figure of matplotlib, whole or not at all.

    Args:
        figure: What to draw.
        path: Picture to write.
    """
    with new_file(path) as draft:
        figure.savefig(draft, dpi=_DPI)
