"""Images with a part missing."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.models.layers import copy_to
from mmvireid.registry import MODELS
from mmvireid.structures import ReIDDataSample

from .base_augmentation import BaseAugmentation
from .rectangles import Rectangles, draw_rectangles, rectangle_masks


@MODELS.register_module()
class ErasingAugmentation(BaseAugmentation):
    """Fill a random rectangle with one colour (Zhong et al., AAAI 2020).

    What the field calls random erasing differs in most of these arguments, and above all in the
    space of the colour: ``configs/_base_/augmentations.py`` has the variants by name.

    Args:
        fill: Red, green and blue of the rectangle, in the space.
        space: ``'raw'`` or ``'normalized'``: has to be said, because a colour of the one is another
            colour in the other.
        prob: As in :class:`BaseAugmentation`.
        area_range: As in :class:`Rectangles`, as are the others.
        aspect_range: Smallest and largest height / width.
        aspect_law: How the aspect is drawn.
        max_tries: Draws until a rectangle fits.

    Raises:
        ValueError: If an argument is not allowed.
    """

    def __init__(
        self,
        fill: Sequence[float],
        space: str,
        prob: float = 0.5,
        area_range: Sequence[float] = (0.02, 0.4),
        aspect_range: Sequence[float] = (0.3, 1 / 0.3),
        aspect_law: str = 'uniform',
        max_tries: int = 100,
    ) -> None:
        super().__init__(prob, space)
        if len(fill) != 3 or (space == 'raw' and not 0 <= min(fill) <= max(fill) <= 1):
            raise InvalidValueError(
                f'ErasingAugmentation: `fill` is {tuple(fill)} in the space {space!r}, expected '
                'three values, in [0, 1] where they are raw.'
            )
        self.fill = torch.tensor(fill, device='cpu').view(3, 1, 1)
        law = Rectangles(area_range, aspect_range, aspect_law, max_tries)
        self.rectangles = law.check(type(self).__name__)

    def change(self, images: Tensor, samples: Sequence[ReIDDataSample]) -> Tensor:
        size = images.shape[2:]
        boxes = draw_rectangles(len(images), *size, self.rectangles)
        masks = rectangle_masks(copy_to(images.device, boxes), *size)
        return torch.where(masks, copy_to(images.device, self.fill), images)
