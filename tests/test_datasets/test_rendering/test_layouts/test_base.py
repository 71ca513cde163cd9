import pytest

from mmvireid.datasets.rendering import LAYOUTS
from mmvireid.datasets.rendering.layouts.base import Layout, spread, write_lines
from mmvireid.structures import INFRARED, VISIBLE


class Empty(Layout):
    def shots(self):
        return []

    test_shots = shots

    def write_index(self, root):
        pass


@pytest.mark.parametrize('number', [1, 5, 40])
def test_identities_are_drawn_once_and_with_gaps(number):
    ids = Empty('tiny', 0).draw_ids(number)
    assert len(set(ids)) == number == len(ids) and min(ids) >= 1
    assert max(ids) <= number + number // 12
    assert ids == Empty('full', 0).draw_ids(number)
    if number > 1:
        assert ids != Empty('tiny', 1).draw_ids(number)


def test_pictures_are_shared_evenly():
    for total in range(9):
        for number in range(1, 5):
            shares = spread(total, number)
            assert sum(shares) == total and len(shares) == number
            assert max(shares) - min(shares) <= 1 and shares == sorted(shares, reverse=True)


def test_lines_are_written_below_new_folders(tmp_path):
    write_lines(tmp_path / 'idx/a.txt', ['one', 'zwei, größer'])
    assert (tmp_path / 'idx/a.txt').read_bytes().decode() == 'one\nzwei, größer\n'


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        # cameras 2 and 3 share a room; 1 is indoors like 3, 4 and 5 outdoors like 6
        ('sysu', {1: 3, 2: 3, 3: 2, 4: 6, 5: 6, 6: 4}),
        ('regdb', {1: 2, 2: 1}),
    ],
)
def test_counterparts_are_in_the_same_room_or_as_near_as_can_be(name, expected):
    layout = LAYOUTS[name]('tiny', 0)
    found = {camera: layout.counterpart(camera) for camera in layout.cameras}
    assert {camera.camera_id: other.camera_id for camera, other in found.items()} == expected
    assert all({camera.modality, other.modality} == {VISIBLE, INFRARED}
               for camera, other in found.items())  # fmt: skip


def test_cameras_of_llcm_record_both_but_for_one():
    layout = LAYOUTS['llcm']('tiny', 0)
    numbers = {camera.key: layout.counterpart(camera).camera_id for camera in layout.cameras}
    assert len(numbers) == 17
    assert {key: other for key, other in numbers.items() if key[0] != other} == {(3, 0): 1}


@pytest.mark.parametrize('name', LAYOUTS)
def test_every_picture_is_by_one_of_the_cameras(name):
    layout = LAYOUTS[name]('full', 0)
    assert {shot.camera for shot in layout.shots()} == set(layout.cameras)
