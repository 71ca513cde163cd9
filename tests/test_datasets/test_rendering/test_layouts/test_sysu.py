from collections import Counter, defaultdict

import numpy as np
import pytest
from scipy.io import loadmat

from mmvireid.datasets.rendering.layouts import SIZES, SYSULayout


def subset_of(layout):
    return {person_id: name for name, ids in layout.ids().items() for person_id in ids}


def test_full_size_has_the_counts_of_the_real_data_set():
    layout = SYSULayout('full', 0)
    subset = subset_of(layout)
    counts = Counter()
    for shot in layout.shots():
        part = 'test' if subset[shot.person_id] == 'test' else 'trainval'
        counts[part, shot.camera.modality] += 1
    assert counts == {
        ('trainval', 'visible'): 22258, ('trainval', 'infrared'): 11909,
        ('test', 'visible'): 6775, ('test', 'infrared'): 3803,
    }  # fmt: skip
    assert Counter(subset.values()) == {'train': 296, 'val': 99, 'test': 96}


@pytest.mark.parametrize('size', SIZES)
def test_gaps_are_like_those_of_the_real_data_set(size):
    layout = SYSULayout(size, 5)
    cameras = defaultdict(Counter)
    for shot in layout.shots():
        cameras[shot.person_id][shot.camera.camera_id] += 1
    subset = subset_of(layout)

    assert set(cameras) == set(subset)
    assert max(subset) > len(subset)  # gaps in the numbers
    for person_id, seen in cameras.items():
        assert {3, 6} & set(seen)
        assert {1, 2, 4, 5} & set(seen)
        assert min(seen.values()) >= 2
        if subset[person_id] == 'val':
            assert set(seen) <= {3, 4, 5}
        if subset[person_id] == 'test':
            assert (1 in seen) == (2 in seen)
    test_ids = [person_id for person_id in subset if subset[person_id] == 'test']
    assert 0 < sum(1 in cameras[person_id] for person_id in test_ids) < len(test_ids)


def test_paths_cameras_and_rooms():
    shots = SYSULayout('tiny', 0).shots()
    assert len({shot.path for shot in shots}) == len(shots)
    for shot in shots:
        number, person_id, index = shot.camera.camera_id, shot.person_id, shot.index
        assert shot.path == f'cam{number}/{person_id:04d}/{index:04d}.jpg'
        assert shot.camera.modality == ('infrared' if number in (3, 6) else 'visible')
    rooms = {shot.camera.camera_id: shot.camera.room for shot in shots}
    assert rooms[2] == rooms[3]
    assert len(set(rooms.values())) == 5


def test_index_files_are_disjoint_and_agree(tmp_path):
    layout = SYSULayout('tiny', 0)
    layout.write_index(tmp_path)

    ids = {}
    for name in ('train', 'val', 'test', 'available'):
        text = (tmp_path / 'exp' / f'{name}_id.txt').read_text()
        ids[name] = [int(word) for word in text.strip().split(',')]
        assert text.count('\n') == 1
        assert ids[name] == sorted(set(ids[name]))
        matlab = loadmat(tmp_path / 'exp' / f'{name}_id.mat')['id']
        assert matlab.dtype == np.uint16
        assert matlab.tolist() == [ids[name]]
    assert sorted(ids['train'] + ids['val'] + ids['test']) == ids['available']
    assert set(ids['available']) == {shot.person_id for shot in layout.shots()}


def test_official_gallery_file(tmp_path):
    layout = SYSULayout('tiny', 0)
    layout.write_index(tmp_path)
    numbers = Counter((shot.camera.camera_id, shot.person_id) for shot in layout.shots())

    cells = loadmat(tmp_path / 'exp' / 'rand_perm_cam.mat')['rand_perm_cam']
    assert cells.shape == (6, 1)
    found = {}
    for camera_id in range(1, 7):
        people = cells[camera_id - 1, 0]
        assert people.shape[1] == 1
        for person_id, draws in enumerate(people[:, 0], start=1):
            assert draws.dtype == np.uint8
            if draws.shape[1]:
                found[camera_id, person_id] = draws.shape[1]
                expected = np.tile(np.arange(1, draws.shape[1] + 1), (10, 1))
                assert np.array_equal(np.sort(draws, axis=1), expected)
    assert found == numbers
