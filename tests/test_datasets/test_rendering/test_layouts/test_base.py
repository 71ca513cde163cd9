import pytest

from mmvireid.datasets.rendering import LAYOUTS
from mmvireid.structures import INFRARED, VISIBLE


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
