"""Random rectangles, drawn for many images at once."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mmvireid.errors import InvalidValueError

#: How the aspect is drawn.
ASPECT_LAWS = ('uniform', 'log_uniform')


class Rectangles(NamedTuple):
    """The law of random rectangles; see :func:`draw_rectangles`.

    Attributes:
        area_range: Smallest and largest part of the image, in (0, 1].
        aspect_range: Smallest and largest height / width.
        aspect_law: ``'uniform'``, or ``'log_uniform'`` as in torchvision.
        max_tries: How often a rectangle is drawn that does not fit, before there is none.
    """

    area_range: Sequence[float] = (0.02, 0.4)
    aspect_range: Sequence[float] = (0.3, 1 / 0.3)
    aspect_law: str = 'uniform'
    max_tries: int = 100

    def check(self, owner: str) -> 'Rectangles':
        """The same law, if there is one.

        Args:
            owner: Who has it, for the message.

        Raises:
            ValueError: If a range, the name or the number is not allowed.
        """
        (low, high), (flat, tall) = self.area_range, self.aspect_range
        if not (0 < low <= high <= 1 and 0 < flat <= tall):
            raise InvalidValueError(
                f'{owner}: `area_range` is {(low, high)} and `aspect_range` {(flat, tall)}, '
                'expected low <= high in (0, 1], and 0 < low <= high.'
            )
        if self.aspect_law not in ASPECT_LAWS or self.max_tries < 1:
            raise InvalidValueError(
                f'{owner}: `aspect_law` is {self.aspect_law!r} and `max_tries` {self.max_tries}, '
                f'expected one of {ASPECT_LAWS}, and at least 1.'
            )
        return self


def draw_rectangles(count: int, height: int, width: int, law: Rectangles) -> Tensor:
    """Draw rectangles that are smaller than the image in both directions.

    Area and aspect (height / width) are drawn, and drawn again as long as the rounded sides do not
    fit; the place is uniform. Source: random erasing (Zhong et al., AAAI 2020) as released.

    Args:
        count: How many.
        height: Of the image, in pixels.
        width: Of the image.
        law: How they are drawn.

    Returns:
        Top, left, bottom and right (the last two exclusive), int64, on the CPU, shape (N, 4), N
        being ``count``; all zero where none of the tries fitted.

    Example:
        >>> whole = Rectangles(area_range=(0.25, 0.25), aspect_range=(1, 1))
        >>> box = draw_rectangles(1, 8, 8, whole)[0]
        >>> (box[2:] - box[:2]).tolist()
        [4, 4]
    """
    shape = (count, law.max_tries)
    area = torch.empty(shape, dtype=torch.float64).uniform_(*law.area_range) * height * width
    low, high = law.aspect_range
    if law.aspect_law == 'log_uniform':
        aspect = torch.empty(shape, dtype=torch.float64).uniform_(math.log(low), math.log(high))
        aspect = aspect.exp()
    else:
        aspect = torch.empty(shape, dtype=torch.float64).uniform_(low, high)
    sides = torch.stack([(area * aspect).sqrt(), (area / aspect).sqrt()], dim=2).round()
    image = torch.tensor([height, width])
    fits = ((sides > 0) & (sides < image)).all(dim=2)  # (N, tries)
    first = fits.int().argmax(dim=1)  # 0 too if none fits
    found = sides[torch.arange(count), first].long() * fits.any(dim=1, keepdim=True)
    room = image - found + 1
    start = (torch.rand(count, 2, dtype=torch.float64) * room).long() * (found > 0)
    return torch.cat([start, start + found], dim=1)


def rectangle_masks(boxes: Tensor, height: int, width: int) -> Tensor:
    """Which pixels lie in the rectangles.

    Args:
        boxes: As :func:`draw_rectangles` gives them, on any device, shape (N, 4).
        height: Of the image, in pixels.
        width: Of the image.

    Returns:
        bool, on the device of the boxes, shape (N, 1, H, W).
    """
    top, left, bottom, right = boxes.view(-1, 4, 1, 1, 1).unbind(1)
    rows = torch.arange(height, device=boxes.device)[:, None]
    columns = torch.arange(width, device=boxes.device)
    return (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
