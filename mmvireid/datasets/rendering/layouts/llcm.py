"""Folders and index files of LLCM."""

from dataclasses import dataclass
from pathlib import Path

from mmvireid.structures import INFRARED, VISIBLE

from ..cameras import Camera
from .base import Layout, Shot, spread, write_lines

#: Word in paths, and cameras, of each modality. A camera records both; camera 3 has no infrared.
SIDES = {
    'vis': [Camera(number, VISIBLE, room=number, outdoor=True) for number in range(1, 10)],
    'nir': [
        Camera(number, INFRARED, room=number, outdoor=True)
        for number in range(1, 10)
        if number != 3
    ],
}


@dataclass(frozen=True)
class Subset:
    """Identities, cameras that see each of them, and pictures per modality."""

    num_ids: int
    num_cameras: int
    pictures: dict[str, int]


# At 'full' the totals are those of the real data set.
SUBSETS = {
    'tiny': {
        'train': Subset(8, 3, {'vis': 48, 'nir': 48}),
        'test': Subset(8, 3, {'vis': 48, 'nir': 48}),
    },
    'small': {
        'train': Subset(230, 4, {'vis': 1840, 'nir': 1840}),
        'test': Subset(100, 4, {'vis': 800, 'nir': 800}),
    },
    'benchmark': {
        'train': Subset(400, 5, {'vis': 6000, 'nir': 6000}),
        'test': Subset(100, 5, {'vis': 1500, 'nir': 1500}),
    },
    'full': {
        'train': Subset(713, 6, {'vis': 16946, 'nir': 13975}),
        'test': Subset(351, 6, {'vis': 8680, 'nir': 7166}),
    },
}


class LLCMLayout(Layout):
    """``vis/0003/...``, ``test_vis/cam1/0003/...`` (and ``nir``), ``idx/train_vis.txt`` ..."""

    cameras = tuple(camera for cameras in SIDES.values() for camera in cameras)

    def ids(self) -> dict[str, list[int]]:
        """Identities of train and test, ascending."""
        num_train, num_test = (subset.num_ids for subset in SUBSETS[self.size].values())
        ids = self.draw_ids(num_train + num_test)
        return {'train': sorted(ids[:num_train]), 'test': sorted(ids[num_train:])}

    def shots(self) -> list[Shot]:
        return [
            shot for name in ('train', 'test') for word in SIDES for shot in self._shots(name, word)
        ]

    def test_shots(self) -> list[Shot]:
        return [shot for word in SIDES for shot in self._shots('test', word)]

    def _shots(self, name: str, word: str) -> list[Shot]:
        subset = SUBSETS[self.size][name]
        pairs = [
            (person_id, SIDES[word][place])
            for order, person_id in enumerate(self.ids()[name])
            for place in _places(order, len(SIDES[word]), subset.num_cameras)
        ]
        numbers = spread(subset.pictures[word], len(pairs))
        return [
            Shot(_path(name, word, person_id, camera.camera_id, index), person_id, camera, index)
            for (person_id, camera), number in zip(pairs, numbers)
            for index in range(1, number + 1)
        ]

    def write_index(self, root: Path) -> None:
        ids = self.ids()
        for name, members in ids.items():
            # Training labels count from 0; test lines carry the identity itself.
            labels = {person_id: label for label, person_id in enumerate(members)}
            for word in SIDES:
                lines = [
                    f'{shot.path} {labels[shot.person_id] if name == "train" else shot.person_id}'
                    for shot in self._shots(name, word)
                ]
                write_lines(root / 'idx' / f'{name}_{word}.txt', lines)
        write_lines(root / 'idx' / 'test_id.txt', [','.join(map(str, ids['test']))])


def _places(order: int, num_places: int, number: int) -> list[int]:
    """Where a person is seen; a few persons in a row cover every camera."""
    return sorted((order * number + step) % num_places for step in range(number))


def _path(name: str, word: str, person_id: int, camera_id: int, index: int) -> str:
    folder = word if name == 'train' else f'test_{word}/cam{camera_id}'
    file = f'{person_id:04d}_c{camera_id:02d}_s{person_id:06d}_f{index:04d}_{word}.jpg'
    return f'{folder}/{person_id:04d}/{file}'
