"""What a layout has to say: which pictures it wants and which index files stand beside them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..cameras import Camera
from ..person import INDEPENDENT
from ..seeding import Stream, generator


@dataclass(frozen=True)
class Shot:
    """One picture of a rendered data set.

    Args:
        path: Where it lies, relative to the data set's root, with '/'.
        person_id: Who.
        camera: Seen by which camera.
        index: Number among the pictures of this person and camera, from 1.
        sensor: Camera that takes the moment instead, see :func:`..picture.render_picture`.
    """

    path: str
    person_id: int
    camera: Camera
    index: int
    sensor: Camera | None = None


class Layout(ABC):
    """The on-disk form of one published data set, filled with rendered people.

    Args:
        size: One of :data:`SIZES`.
        seed: Decides who is in which split.
        tones: See :func:`..person.make_person`; part of what a data set is rendered from.

    Attributes:
        cameras (Sequence[Camera]): All cameras of the data set.
    """

    cameras: Sequence[Camera]

    def __init__(self, size: str, seed: int, tones: str = INDEPENDENT) -> None:
        self.size, self.seed, self.tones = size, seed, tones

    @abstractmethod
    def shots(self) -> list[Shot]:
        """Every picture of the data set."""

    @abstractmethod
    def test_shots(self) -> list[Shot]:
        """The pictures of the test split (of its first trial, where there are several)."""

    @abstractmethod
    def write_index(self, root: Path) -> None:
        """Write the data set's index files below ``root``."""

    def counterpart(self, camera: Camera) -> Camera:
        """The other modality's camera that stands in for a camera.

        In the same room if there is one, else indoors or outdoors like it, of these the first.
        """
        others = [other for other in self.cameras if other.modality != camera.modality]
        return min(
            others,
            key=lambda other: (
                other.room != camera.room, other.outdoor != camera.outdoor, other.camera_id
            ),
        )  # fmt: skip

    def draw_ids(self, number: int) -> list[int]:
        """Identity numbers in random order, from 1 on and, as in real life, with gaps."""
        highest = number + number // 12
        ids = generator(self.seed, Stream.SPLIT, 0).permutation(highest)[:number] + 1
        return ids.tolist()


def spread(total: int, number: int) -> list[int]:
    """Share ``total`` pictures among ``number`` places, as evenly as possible.

    Example:
        >>> spread(7, 3)
        [3, 2, 2]
    """
    return [len(part) for part in np.array_split(np.arange(total), number)]


def write_lines(path: Path, lines: list[str]) -> None:
    """Write a text file, one line per entry, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(lines) + '\n', 'utf-8')
