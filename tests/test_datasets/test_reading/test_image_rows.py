"""What can be wrong with rows."""

import numpy as np
import pytest

from mmvireid.datasets.reading.image_rows import check_rows, image_row, unpaired_ids
from mmvireid.datasets.reading.image_tree import ImageTree
from mmvireid.structures import MODALITIES


def test_unpaired_identities_against_a_table():
    rng = np.random.default_rng(0)
    present = rng.random((40, 2)) < 0.6
    rows = [
        image_row(f'{person}/{copy}.jpg', person, 1, ('visible', 'infrared')[modality])
        for person, modality in np.argwhere(present)
        for copy in range(2)
    ]
    expected = {
        person: 'visible' if visible else 'infrared'
        for person, (visible, infrared) in enumerate(present)
        if visible != infrared
    }
    assert unpaired_ids(rows) == expected and expected


@pytest.fixture
def checked(tmp_path):
    """``checked(*changes)``: rows of four images, changed, and their check."""
    (tmp_path / 'night').mkdir()
    names = [f'{place}{person}.png' for place in ('', 'night/') for person in (1, 2)]
    for name in names:
        (tmp_path / name).touch()

    def check(changes, mixed_cameras=False):
        rows = [
            image_row(name, 1 + i % 2, 1 + i // 2, MODALITIES[i // 2])
            for i, name in enumerate(names)
        ]
        for index, change in changes.items():
            rows[index].update(change)
        check_rows('Mine', ImageTree(tmp_path), rows, mixed_cameras)

    return check


def test_good_rows_pass(checked):
    checked({})
    checked({0: dict(person_id=np.int64(1))})
    checked({0: dict(modality='infrared')}, mixed_cameras=True)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(modality='ir'), r"Mine: `modality` of 1 of 4 rows is not one of .*: 'ir' \(2.png\)"),
        (dict(person_id='2'), r"`person_id` of 1 of 4 rows is not a whole number.*: '2' \(2.png\)"),
        (dict(person_id=True), '`person_id` of 1'),
        (dict(camera_id=2**63), r'`camera_id` of 1 of 4 rows is not a whole number of 64 bits'),
        (dict(camera_id=None), r'`camera_id` of 1 of 4 rows is not a whole number.*: None'),
        (dict(name=3), '`name` of 1 of 4 rows is not a path relative to the data root'),
        (dict(name='1.png'), r'Mine: 1 images stand in several rows: 1.png, expected one row each'),
        (dict(name='night/3.png'), r'Mine: 1 of 4 images do not exist below .*: night/3.png'),
        (dict(name='night'), '1 of 4 images do not exist .*, or are no image files: night'),
        (
            dict(modality='infrared'),
            r'cameras 1 have images of both modalities.*`mixed_cameras',
        ),
    ],
)
def test_wrong_rows_are_named(change, message, checked):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        checked({1: change})


def test_a_missing_key_is_named(tmp_path):
    with pytest.raises(
        ValueError, match='`camera_id` of 1 of 1 rows is not a whole number.*: None'
    ):
        check_rows('Mine', ImageTree(tmp_path), [dict(name='1.png', person_id=1)], False)
