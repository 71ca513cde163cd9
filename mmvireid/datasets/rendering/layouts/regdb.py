"""Folders and index files of RegDB."""

from pathlib import Path

from mmvireid.structures import INFRARED, VISIBLE

from ..cameras import Camera
from ..seeding import Stream, generator
from .base import Layout, Shot, write_lines

#: Folder name, word in the index files' names, and camera of each modality.
SIDES = (
    ('Visible', 'visible', Camera(1, VISIBLE, room=1, outdoor=True)),
    ('Thermal', 'thermal', Camera(2, INFRARED, room=2, outdoor=True)),
)
NUM_IDS = {'tiny': 16, 'small': 300, 'benchmark': 412, 'full': 412}
NUM_PICTURES = 10  # per identity and modality
NUM_TRIALS = 10


class RegDBLayout(Layout):
    """``Visible/6/...jpg``, ``Thermal/6/...jpg`` and ``idx/train_visible_1.txt`` ..."""

    cameras = tuple(camera for _, _, camera in SIDES)

    def shots(self) -> list[Shot]:
        return self._shots_of(range(1, NUM_IDS[self.size] + 1))

    def test_shots(self) -> list[Shot]:
        return self._shots_of(self.split(1)['test'])

    def _shots_of(self, ids) -> list[Shot]:
        return [
            Shot(self._path(side, person_id, index), person_id, side[2], index)
            for side in SIDES
            for person_id in ids
            for index in range(1, NUM_PICTURES + 1)
        ]

    @staticmethod
    def _path(side, person_id: int, index: int) -> str:
        folder, word, _ = side
        return f'{folder}/{person_id}/{word}_{person_id:05d}_{index:02d}.jpg'

    def split(self, trial: int) -> dict[str, list[int]]:
        """Training and test half of the identities in one of the trials 1 ... 10."""
        number = NUM_IDS[self.size]
        order = generator(self.seed, Stream.SPLIT, trial).permutation(number) + 1
        half = number // 2
        return {'train': sorted(order[:half].tolist()), 'test': sorted(order[half:].tolist())}

    def write_index(self, root: Path) -> None:
        for trial in range(1, NUM_TRIALS + 1):
            for name, ids in self.split(trial).items():
                for side in SIDES:
                    lines = [
                        f'{self._path(side, person_id, index)} {label}'
                        for label, person_id in enumerate(ids)
                        for index in range(1, NUM_PICTURES + 1)
                    ]
                    write_lines(root / 'idx' / f'{name}_{side[1]}_{trial}.txt', lines)
