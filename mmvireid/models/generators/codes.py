"""What an image is taken apart into, and put together from."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Codes(NamedTuple):
    """Factors of N images.

    Prototype and style tell who somebody is (ID-discriminative), pose and illumination how the
    image shows it (ID-excluded). The last three, the attributes, have a part for each of the B
    residual blocks of a decoder, so that every block gets some of each.

    Codes are swapped by :meth:`shown_as`, or one by one by ``_replace``, both of which make a new
    tuple: ``a._replace(pose=b.pose)`` is ``a`` with the poses of ``b``.

    Attributes:
        prototype: What the appearance is based on, shape (N, C, h, w).
        style: Style of the clothes, shape (N, B, D_s).
        pose: What differs within a modality, shape (N, B, D_p).
        illumination: What differs between the modalities, shape (N, B, D_c).
    """

    prototype: Tensor
    style: Tensor
    pose: Tensor
    illumination: Tensor

    @property
    def attributes(self) -> Tensor:
        """Everything but the prototype, by block of a decoder, (N, B, D_s + D_p + D_c)."""
        return torch.cat(self[1:], dim=2)

    @property
    def excluded(self) -> Tensor:
        """The ID-excluded codes of every image in one vector, (N, D), D = B * (D_p + D_c)."""
        return torch.cat([self.pose, self.illumination], dim=2).flatten(1)

    def shown_as(self, other: 'Codes') -> 'Codes':
        """The same people, shown as other images show theirs: with their ID-excluded codes."""
        return self._replace(pose=other.pose, illumination=other.illumination)


def join_codes(parts: Sequence[Codes]) -> Codes:
    """Codes of several sets of images, one after the other."""
    return Codes(*(torch.cat(factors) for factors in zip(*parts)))
