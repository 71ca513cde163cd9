import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from mmvireid.evaluation import FeatureSet, SYSUProtocol

COUNTS = Path(__file__).parents[3] / 'tools' / 'benchmarks' / 'sysu_test_counts.csv'
# sha256 of trials 0, 1 and 9, from an independent implementation of the released sampling.
GOLDEN = {
    'sysu/all-1shot': ['9612735e895600cf', '2a4cec77aebb08f9', '7dcc492d6e0b297d'],
    'sysu/indoor-1shot': ['920fed7499f07cdc', 'b804d7f141297e62', '942f1287578719a8'],
    'sysu/all-10shot': ['9f413ab481c61a30', '86f42aedb5920618', '674daa235808db9f'],
}


def sysu_settings(feature_set, *args, **kwargs):
    return SYSUProtocol(*args, **kwargs).settings(feature_set)


def images_of(counts, seed=0):
    """One-dimensional features for {(person, camera): number of images}, in random order."""
    rows = [(p, c, n) for (p, c), count in counts.items() for n in range(count)]
    rows = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    return FeatureSet(
        features=np.zeros((len(rows), 1)),
        person_ids=[person for person, _, _ in rows],
        camera_ids=[camera for _, camera, _ in rows],
        modalities=['infrared' if camera in (3, 6) else 'visible' for _, camera, _ in rows],
        names=[f'cam{camera}/{person:04d}/{n + 1:04d}.jpg' for person, camera, n in rows],
    )


@pytest.fixture(scope='module')
def counts():
    with COUNTS.open() as file:
        rows = list(csv.DictReader(file))
    return {(int(r['pid']), camera): int(r[f'cam{camera}']) for r in rows for camera in range(1, 7)}


@pytest.fixture(scope='module')
def test_split(counts):
    return images_of(counts)


def picks(feature_set, rows):
    """(camera, person, row in file-name order) of gallery rows, read from the names."""
    parts = [str(feature_set.names[row]).split('/') for row in rows]
    return [(int(cam[3:]), int(person), int(name[:4]) - 1) for cam, person, name in parts]


def digest(feature_set, rows):
    text = ';'.join(','.join(map(str, pick)) for pick in picks(feature_set, rows))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def rand_perm_file(path, counts, num_persons=12):
    """A file of the official structure: (6, 1) cells of (persons, 1) cells of (10, n) uint8."""
    rng = np.random.default_rng(0)
    cells = np.empty((6, 1), object)
    for camera in range(1, 7):
        cell = np.empty((num_persons, 1), object)
        for person in range(1, num_persons + 1):
            n = counts.get((person, camera), 0)
            rows = [rng.permutation(n) + 1 for _ in range(10)]
            cell[person - 1, 0] = np.array(rows, np.uint8).reshape(10, n)
        cells[camera - 1, 0] = cell
    savemat(path, {'rand_perm_cam': cells})
    return cells


SMALL = {(p, c): 11 + (p * c) % 3 for p in (2, 9, 11) for c in range(1, 7) if (p, c) != (9, 1)}


def test_seeded_galleries_are_those_of_the_released_code(test_split):
    settings = {setting.name: setting for setting in sysu_settings(test_split)}
    for name, digests in GOLDEN.items():
        trials = [settings[name].galleries[trial] for trial in (0, 1, 9)]
        assert [digest(test_split, rows) for rows in trials] == digests
    first = picks(test_split, settings['sysu/all-1shot'].galleries[0][:8])
    assert first == [(1, 6, 24), (2, 6, 24), (4, 6, 13), (5, 6, 1),
                     (1, 10, 16), (2, 10, 16), (4, 10, 15), (5, 10, 12)]  # fmt: skip


def test_protocol_has_the_published_sizes(test_split):
    sizes = {s.name: (len(s.all_queries), len(s.galleries[0])) for s in sysu_settings(test_split)}
    assert sizes == {
        'sysu/all-1shot': (3803, 301),
        'sysu/all-10shot': (3803, 3010),
        'sysu/indoor-1shot': (3803, 112),
        'sysu/indoor-10shot': (3803, 1120),
    }


def test_official_gallery_follows_the_permutation_file(tmp_path):
    feature_set = images_of(SMALL)
    cells = rand_perm_file(tmp_path / 'rand_perm_cam.mat', SMALL)
    settings = sysu_settings(
        feature_set, gallery='official', rand_perm_file=tmp_path / 'rand_perm_cam.mat'
    )
    assert [setting.name for setting in settings][1:3] == ['sysu/all-10shot', 'sysu/indoor-1shot']
    for setting, cameras, shots in zip(
        settings, [(1, 2, 4, 5)] * 2 + [(1, 2)] * 2, (1, 10, 1, 10), strict=True
    ):
        for trial, rows in enumerate(setting.galleries):
            expected = [
                (camera, person, int(image) - 1)
                for camera in cameras
                for person in (2, 9, 11)
                for image in cells[camera - 1, 0][person - 1, 0][trial, :shots]
            ]
            assert picks(feature_set, rows) == expected


@pytest.mark.parametrize('gallery', ['seeded', 'official'])
def test_candidates_stand_in_the_order_of_the_gallery(tmp_path, gallery):
    feature_set = images_of(SMALL)
    rand_perm_file(tmp_path / 'p.mat', SMALL)
    (setting,) = sysu_settings(feature_set, ['all'], [1], gallery, tmp_path / 'p.mat')
    place = {row: at for at, row in enumerate(setting.candidates)}
    for rows in setting.galleries:
        assert [place[row] for row in rows] == sorted(place[row] for row in rows)


def test_official_gallery_refuses_a_folder_of_another_size(tmp_path):
    rand_perm_file(tmp_path / 'p.mat', {**SMALL, (9, 4): 20})
    with pytest.raises(ValueError, match=r'camera 4 has \d+ images of person 9, expected 20'):
        sysu_settings(images_of(SMALL), gallery='official', rand_perm_file=tmp_path / 'p.mat')


def test_official_gallery_needs_its_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'`rand_perm_file` is None.*seeded'):
        sysu_settings(images_of(SMALL), gallery='official')
    savemat(tmp_path / 'other.mat', {'id': np.arange(3)})
    with pytest.raises(ValueError, match='expected a Matlab file with a cell `rand_perm_cam`'):
        sysu_settings(images_of(SMALL), gallery='official', rand_perm_file=tmp_path / 'other.mat')
    rand_perm_file(tmp_path / 'p.mat', SMALL)
    with pytest.raises(ValueError, match='`num_trials` is 11, expected at most 10'):
        sysu_settings(images_of(SMALL), gallery='official', rand_perm_file=tmp_path / 'p.mat',
                      num_trials=11)  # fmt: skip


def test_camera_3_never_sees_camera_2():
    feature_set = images_of({(2, camera): 1 for camera in range(1, 7)})
    (setting,) = sysu_settings(feature_set, ['all'], [1])
    excluded = setting.excluded(feature_set, setting.all_queries, setting.candidates)
    pairs = {
        (int(feature_set.camera_ids[q]), int(feature_set.camera_ids[c]))
        for q, row in zip(setting.all_queries, excluded)
        for c, out in zip(setting.candidates, row)
        if out
    }
    assert pairs == {(3, 2)}


def test_few_images_give_what_they_have():
    feature_set = images_of({(2, 1): 3, (2, 5): 12, (2, 3): 1})
    (setting,) = sysu_settings(feature_set, ['all'], [10])
    assert {len(rows) for rows in setting.galleries} == {13}
    assert all(len(set(rows.tolist())) == 13 for rows in setting.galleries)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'modes': ['outdoor']}, r"`modes` is \['outdoor'\], expected .*'all', 'indoor'"),
        ({'modes': []}, '`modes` is'),
        ({'shots': [0]}, r'`shots` is \[0\], expected at least 1'),
        ({'gallery': 'random'}, r"`gallery` is \['random'\]"),
        ({'num_trials': 0}, '`num_trials` is'),
    ],
)
def test_wrong_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        sysu_settings(images_of(SMALL), **kwargs)


def test_a_setting_that_cannot_exist_is_named():
    outdoor = images_of({(2, 4): 3, (2, 3): 3})
    with pytest.raises(ValueError, match='indoor-1shot has no gallery images.*leave it out'):
        sysu_settings(outdoor, ['indoor'], [1])
    with pytest.raises(ValueError, match='all-1shot has no query images'):
        sysu_settings(images_of({(2, 4): 3}), ['all'], [1])


def test_another_data_set_is_recognised():
    with pytest.raises(ValueError, match=r'visible images of cameras \[7\]'):
        sysu_settings(images_of({(2, 7): 1, (2, 3): 1}))
