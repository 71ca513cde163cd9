import cv2
import numpy as np
import pytest

from mmvireid.datasets.rendering.canvas import Canvas
from mmvireid.datasets.rendering.figure import Pose, draw_figure
from mmvireid.datasets.rendering.person import make_person

PERSON = make_person(0, 3)


def covered(person=PERSON, **pose):
    """Where the figure is, a person height of 230 pixels from row 12 on."""
    pixels = np.full((260, 140, 1), -1, np.float32)
    pose = dict(yaw=0.0, phase=0.7, stride=0.3, arm_swing=0.3) | pose
    draw_figure(Canvas(pixels, 230, (70, 12)), person, Pose(**pose), 'infrared')
    return pixels[..., 0] >= 0


def test_a_figure_is_as_high_as_a_person_and_in_one_piece():
    mask = covered(phase=0.0, stride=0.0)
    rows = np.flatnonzero(mask.any(1))
    assert 10 <= rows[0] <= 20 and 232 <= rows[-1] <= 248
    assert cv2.connectedComponents(mask.astype(np.uint8))[0] == 2  # background and figure


def test_the_legs_of_who_walks_are_apart_seen_from_the_side():
    def width(stride):
        feet = covered(yaw=np.pi / 2, phase=np.pi / 2, stride=stride)[215:]
        columns = np.flatnonzero(feet.any(0))
        return columns[-1] - columns[0]

    assert width(0.45) > width(0.0) + 25


def test_half_a_step_on_left_and_right_have_changed_places():
    """Without luggage a figure is its own mirror image half a cycle later."""
    people = (make_person(0, number) for number in range(1, 50))
    person = next(p for p in people if p.bag == 'none' and p.hair_style == 'short')
    one, other = covered(person, phase=0.9), covered(person, phase=0.9 + np.pi)[:, ::-1]
    other = np.roll(other, 1, axis=1)  # columns 0 ... 139 around column 70
    assert (one != other).sum() < 0.03 * one.sum()


@pytest.mark.parametrize('yaw', [0.0, 1.0, np.pi])
def test_both_modalities_have_one_outline(yaw):
    pixels = np.full((260, 140, 3), -1, np.float32)
    pose = Pose(yaw, 0.7, 0.3, 0.3)
    draw_figure(Canvas(pixels, 230, (70, 12)), PERSON, pose, 'visible')
    np.testing.assert_array_equal(pixels[..., 0] >= 0, covered(yaw=yaw))
