"""Folders and index files of SYSU-MM01."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import scipy

from mmvireid.structures import INFRARED, VISIBLE

from ..cameras import Camera
from ..seeding import Stream, generator
from .base import Layout, Shot, spread, write_lines

CAMERAS = {
    1: Camera(1, VISIBLE, room=1),
    2: Camera(2, VISIBLE, room=2),
    3: Camera(3, INFRARED, room=2),
    4: Camera(4, VISIBLE, room=4, outdoor=True),
    5: Camera(5, VISIBLE, room=5, outdoor=True),
    6: Camera(6, INFRARED, room=6, outdoor=True),
}
NUM_TRIALS = 10


@dataclass(frozen=True)
class Subset:
    """How many identities there are, and camera -> (identities that it saw, pictures)."""

    num_ids: int
    seen: dict[int, tuple[int, int]]


# At 'full' the totals are those of the real data set; at all sizes its gaps are imitated: fewer
# people pass cameras 1, 2 and 6, and the people of val only pass 3, 4 and 5.
SUBSETS = {
    'tiny': {
        'train': Subset(
            10, {1: (6, 12), 2: (7, 14), 3: (9, 36), 4: (9, 18), 5: (9, 18), 6: (7, 28)}
        ),
        'val': Subset(2, {3: (2, 8), 4: (2, 4), 5: (2, 4)}),
        'test': Subset(8, {1: (5, 10), 2: (5, 10), 3: (7, 14), 4: (7, 14), 5: (7, 14), 6: (8, 16)}),
    },
    'small': {
        'train': Subset(
            240,
            {1: (200, 600), 2: (200, 600), 3: (239, 956), 4: (235, 705), 5: (238, 714),
             6: (200, 800)},
        ),
        'val': Subset(8, {3: (8, 32), 4: (8, 16), 5: (8, 16)}),
        'test': Subset(
            100,
            {1: (60, 120), 2: (60, 120), 3: (97, 388), 4: (98, 196), 5: (99, 198), 6: (100, 400)},
        ),
    },
    'benchmark': {
        'train': Subset(
            296,
            {1: (194, 1164), 2: (195, 1170), 3: (293, 2344), 4: (283, 1698), 5: (294, 1764),
             6: (200, 1600)},
        ),
        'val': Subset(99, {3: (99, 594), 4: (99, 396), 5: (99, 396)}),
        'test': Subset(
            96,
            {1: (56, 560), 2: (56, 560), 3: (93, 744), 4: (94, 940), 5: (95, 950), 6: (96, 768)},
        ),
    },
    'full': {
        'train': Subset(
            296,
            {1: (194, 4721), 2: (195, 5753), 3: (293, 5929), 4: (283, 4821), 5: (294, 4989),
             6: (200, 4000)},
        ),
        'val': Subset(99, {3: (99, 1980), 4: (99, 987), 5: (99, 987)}),
        'test': Subset(
            96,
            {1: (56, 1374), 2: (56, 1565), 3: (93, 1883), 4: (94, 1918), 5: (95, 1918),
             6: (96, 1920)},
        ),
    },
}  # fmt: skip


class SYSULayout(Layout):
    """``cam1/0006/0001.jpg`` ..., ``exp/train_id.txt`` and the official ``.mat`` files."""

    cameras = tuple(CAMERAS.values())

    def ids(self) -> dict[str, list[int]]:
        """Identities of train, val and test, in the order in which cameras lose them."""
        subsets = SUBSETS[self.size]
        ids = self.draw_ids(sum(subset.num_ids for subset in subsets.values()))
        ends = np.cumsum([subset.num_ids for subset in subsets.values()])
        return {
            name: ids[end - subset.num_ids : end]
            for (name, subset), end in zip(subsets.items(), ends.tolist())
        }

    def shots(self) -> list[Shot]:
        return [shot for name in SUBSETS[self.size] for shot in self._subset_shots(name)]

    def test_shots(self) -> list[Shot]:
        return self._subset_shots('test')

    def _subset_shots(self, name: str) -> list[Shot]:
        ids, shots = self.ids()[name], []
        for camera_id, (num_seen, num_pictures) in SUBSETS[self.size][name].seen.items():
            # Cameras 1, 2 and 6 lose the last identities, the others the first: nobody is lost.
            seen = ids[:num_seen] if camera_id in (1, 2, 6) else ids[-num_seen:]
            for person_id, number in zip(seen, spread(num_pictures, num_seen)):
                folder = f'cam{camera_id}/{person_id:04d}'
                shots += [
                    Shot(f'{folder}/{index:04d}.jpg', person_id, CAMERAS[camera_id], index)
                    for index in range(1, number + 1)
                ]
        return shots

    def write_index(self, root: Path) -> None:
        folder = root / 'exp'
        ids = self.ids()
        for name, members in (*ids.items(), ('available', chain(*ids.values()))):
            members = sorted(members)
            write_lines(folder / f'{name}_id.txt', [','.join(map(str, members))])
            scipy.io.savemat(folder / f'{name}_id.mat', {'id': np.array([members], np.uint16)})
        scipy.io.savemat(folder / 'rand_perm_cam.mat', {'rand_perm_cam': self._permutations()})

    def _permutations(self) -> np.ndarray:
        """The official gallery draw: a (6, 1) cell of (ids, 1) cells of (10, pictures) uint8."""
        numbers = defaultdict(int)
        for shot in self.shots():
            numbers[shot.camera.camera_id, shot.person_id] += 1
        highest = max(person_id for _, person_id in numbers)
        cell = np.empty((len(CAMERAS), 1), object)
        for row, camera_id in enumerate(CAMERAS):
            cell[row, 0] = np.empty((highest, 1), object)
            for person_id in range(1, highest + 1):
                rng = generator(self.seed, Stream.SPLIT, camera_id, person_id)
                pictures = np.arange(1, numbers[camera_id, person_id] + 1, dtype=np.uint8)
                draws = rng.permuted(np.tile(pictures, (NUM_TRIALS, 1)), axis=1)
                cell[row, 0][person_id - 1, 0] = draws
        return cell
