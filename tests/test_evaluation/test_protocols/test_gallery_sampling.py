import random

import numpy as np
import pytest
from scipy.io import savemat

from mmvireid.evaluation import FeatureSet
from mmvireid.evaluation.protocols.gallery_sampling import (
    OfficialGallery,
    folders,
    seeded_gallery,
    sorted_rows,
)


@pytest.fixture
def images():
    """Four folders in disorder: person 2 of cameras 1 and 4, person 10 of cameras 1 and 2."""
    rows = [(person, camera, f'cam{camera}/{person:04d}/{image:04d}.jpg')
            for person, camera, count in ((2, 1, 3), (2, 4, 1), (10, 1, 2), (10, 2, 4))
            for image in range(1, count + 1)]  # fmt: skip
    random.Random(0).shuffle(rows)
    persons, cameras, names = zip(*rows)
    return FeatureSet(np.eye(len(rows)), persons, cameras, ['visible'] * len(rows), names)


def test_rows_ascend_by_person_camera_and_name(images):
    selected = images.camera_ids != 4
    found = sorted_rows(images, selected)
    keys = [(images.person_ids[i], images.camera_ids[i], images.names[i]) for i in found]
    assert keys == sorted(keys) and len(keys) == selected.sum()


def test_a_folder_is_a_person_and_a_camera(images):
    found = folders(images, sorted_rows(images, np.ones(len(images), bool)))
    assert {key: len(rows) for key, rows in found.items()} == {
        (2, 1): 3, (2, 4): 1, (10, 1): 2, (10, 2): 4
    }  # fmt: skip
    assert list(found) == sorted(found)
    for (person, camera), rows in found.items():
        assert set(images.person_ids[rows]) == {person}
        assert set(images.camera_ids[rows]) == {camera}
    assert folders(images, np.empty(0, np.int64)) == {}


def test_one_shot_is_a_choice_per_folder_of_the_trials_generator(images):
    found = folders(images, sorted_rows(images, np.ones(len(images), bool)))
    for trial in range(5):
        generator = random.Random(trial)
        expected = [generator.choice(list(found[key])) for key in sorted(found)]
        assert seeded_gallery(found, 1, trial).tolist() == expected


def test_several_shots_are_different_images_and_a_small_folder_gives_all(images):
    found = folders(images, sorted_rows(images, np.ones(len(images), bool)))
    drawn = seeded_gallery(found, 3, 0)
    assert len(set(drawn.tolist())) == len(drawn) == 3 + 1 + 2 + 3
    assert set(found[2, 1]) <= set(drawn) and set(found[10, 1]) <= set(drawn)
    assert any(seeded_gallery(found, 3, t).tolist() != drawn.tolist() for t in range(1, 5))


def test_official_draws_are_read_camera_by_camera(tmp_path):
    cells = np.empty((2, 1), object)
    for camera in range(2):
        people = np.empty((2, 1), object)
        for person in range(2):
            people[person, 0] = np.array([[2, 1], [1, 2]], float)
        cells[camera, 0] = people
    savemat(tmp_path / 'a.mat', dict(rand_perm_cam=cells))
    gallery = OfficialGallery(tmp_path / 'a.mat')
    found = {(p, c): np.array([0, 1]) + 10 * p + 100 * c for p in (1, 2) for c in (1, 2)}
    gallery.check(found, found, num_trials=2)
    assert gallery(found, 1, 0).tolist() == [111, 121, 211, 221]
    assert gallery(found, 1, 1).tolist() == [110, 120, 210, 220]
    assert gallery(found, 2, 0).tolist() == [111, 110, 121, 120, 211, 210, 221, 220]
    with pytest.raises(ValueError, match='`num_trials` is 3, expected at most 2'):
        gallery.check(found, found, num_trials=3)
    with pytest.raises(ValueError, match='camera 2 has 1 images of person 1, expected 2'):
        gallery.check(found | {(1, 2): np.array([3])}, found, num_trials=1)
