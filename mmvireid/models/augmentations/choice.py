"""One augmentation of several."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.models.layers import copy_to
from mmvireid.registry import MODELS
from mmvireid.structures import ReIDDataSample

from .base_augmentation import BaseAugmentation


@MODELS.register_module()
class ChoiceAugmentation(BaseAugmentation):
    """One of several augmentations, each as likely, drawn for each image.

    Args:
        choices: Their configs, of one space.
        prob: As in :class:`BaseAugmentation`.

    Raises:
        ValueError: If there is none, or they are of two spaces.
    """

    def __init__(self, choices: Sequence[dict], prob: float = 1.0) -> None:
        self.choices = [MODELS.build(choice) for choice in choices]
        spaces = {getattr(choice, 'space', None) for choice in self.choices}
        if len(spaces) != 1 or None in spaces:
            raise InvalidValueError(
                f'ChoiceAugmentation: `choices` are {[*choices]}, expected augmentations of one '
                'space.'
            )
        super().__init__(prob, spaces.pop())

    def change(self, images: Tensor, samples: Sequence[ReIDDataSample]) -> Tensor:
        drawn = torch.randint(len(self.choices), (len(images),))
        for number, choice in enumerate(self.choices):
            rows = (drawn == number).nonzero().flatten()
            if len(rows):
                mine = copy_to(images.device, rows)
                own = [samples[i] for i in rows.tolist()]
                images = images.index_copy(0, mine, choice(images.index_select(0, mine), own))
        return images
