import cv2
import numpy as np
import pytest

from mmvireid.datasets.rendering import render_jpeg, render_picture
from mmvireid.datasets.rendering.cameras import Camera
from mmvireid.datasets.rendering.canvas import Canvas
from mmvireid.datasets.rendering.figure import Pose, draw_figure
from mmvireid.datasets.rendering.person import make_person

VISIBLE = Camera(1, 'visible', room=1)
INFRARED = Camera(3, 'infrared', room=2)


@pytest.mark.parametrize('camera', [VISIBLE, INFRARED])
def test_picture_is_a_function_of_its_arguments(camera):
    first = render_jpeg(0, 7, camera, 1)
    render_jpeg(5, 9, camera, 4)
    assert render_jpeg(0, 7, camera, 1) == first
    others = [
        render_jpeg(1, 7, camera, 1),
        render_jpeg(0, 8, camera, 1),
        render_jpeg(0, 7, camera, 2),
    ]
    assert first not in others


GOLDEN = {
    (7, 1, VISIBLE): [
        [131.1, 130.9], [117.8, 140.0], [132.9, 147.7], [126.2, 119.6],
    ],
    (7, 2, INFRARED): [
        [94.2, 97.3], [103.6, 107.9], [111.2, 106.9], [96.1, 89.5],
    ],
    (153, 3, Camera(5, 'visible', room=5, outdoor=True)): [
        [129.5, 124.6], [129.1, 101.0], [122.3, 73.9], [104.0, 71.3],
    ],
}  # fmt: skip


def test_a_seed_shows_what_it_has_always_shown():
    """Means over eight fields; bytes differ from one OpenCV to another, pictures do not."""
    for (person_id, index, camera), expected in GOLDEN.items():
        rows = np.array_split(render_picture(0, person_id, camera, index), 4, axis=0)
        means = [[half.mean() for half in np.array_split(row, 2, axis=1)] for row in rows]
        np.testing.assert_allclose(means, expected, atol=0.3)


def edges(picture):
    """Strength of the edges of a blurred picture at a common size."""
    grey = cv2.resize(picture, (64, 128)).mean(axis=2)
    grey = cv2.GaussianBlur(grey, (0, 0), 1.5)
    return np.hypot(cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1))[4:-4, 4:-4].ravel()


@pytest.mark.parametrize(('camera', 'sensor'), [(VISIBLE, INFRARED), (INFRARED, VISIBLE)])
def test_the_other_camera_sees_the_same_moment(camera, sensor):
    """Edges lie where they lay; those of other moments and of other people do not."""
    taken = {
        (person, index): [render_picture(0, person, camera, index, by) for by in (camera, sensor)]
        for person in (3, 8)
        for index in (1, 2)
    }
    for key, (own, _) in taken.items():
        agreement = {
            other: np.corrcoef(edges(own), edges(picture))[0, 1]
            for other, (_, picture) in taken.items()
        }
        assert max(agreement, key=agreement.get) == key
    for own, counterpart in taken.values():
        assert own.shape == counterpart.shape
        is_grey = [np.ptp(picture, axis=2).max() == 0 for picture in (own, counterpart)]
        assert is_grey == [camera == INFRARED, sensor == INFRARED]


def test_a_camera_as_its_own_sensor_changes_nothing():
    assert render_jpeg(0, 7, VISIBLE, 1, VISIBLE) == render_jpeg(0, 7, VISIBLE, 1)
    assert render_jpeg(0, 7, VISIBLE, 1, INFRARED) == render_jpeg(0, 7, VISIBLE, 1, INFRARED)


def test_sizes_vary_as_those_of_a_detector():
    shapes = np.array([render_picture(0, 1, VISIBLE, index).shape for index in range(12)])
    assert (shapes[:, 2] == 3).all()
    assert (abs(shapes[:, 0] - 128) <= 12).all()
    assert (abs(shapes[:, 0] / shapes[:, 1] - 2) < 0.35).all()
    assert len(np.unique(shapes, axis=0)) > 6


def test_infrared_file_is_grey_with_three_channels():
    data = np.frombuffer(render_jpeg(0, 7, INFRARED, 1), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    assert picture.shape[2] == 3
    assert np.ptp(picture, axis=2).max() == 0
    visible = cv2.imdecode(np.frombuffer(render_jpeg(0, 7, VISIBLE, 1), np.uint8), cv2.IMREAD_COLOR)
    assert np.ptp(visible, axis=2).mean() > 5


def draw(person, modality, channels, yaw=0.0):
    """The figure alone on a background of -1, and where it covers it."""
    pixels = np.full((256, 128, channels), -1, np.float32)
    draw_figure(Canvas(pixels, 230, (64, 12)), person, Pose(yaw, 0.7, 0.3, 0.3), modality)
    return pixels, pixels[..., 0] >= 0


@pytest.mark.parametrize('yaw', [0.0, 1.5, 3.1])
def test_outline_is_the_same_in_both_modalities(yaw):
    for person_id in range(6):
        person = make_person(0, person_id)
        _, visible = draw(person, 'visible', 3, yaw)
        _, infrared = draw(person, 'infrared', 1, yaw)
        assert np.array_equal(visible, infrared)
        assert 0.15 < visible.mean() < 0.6


def test_pattern_is_the_same_in_both_modalities():
    striped = [
        person
        for person in (make_person(0, person_id) for person_id in range(200))
        if person.top.pattern.kind == 'hoops'
        and person.bag == 'none'
        and person.hair_style != 'long'
    ][:3]
    assert len(striped) == 3
    for person in striped:
        # Down the middle of the chest: where does the tone change?
        down = slice(12 + int(0.24 * 230), 12 + int(0.45 * 230))
        edges = []
        for modality, channels in (('visible', 3), ('infrared', 1)):
            column = draw(person, modality, channels)[0][down, 64].mean(1)
            edges.append(np.flatnonzero(abs(np.diff(column)) > 0.1))
        assert len(edges[0]) >= 1
        assert np.array_equal(*edges)
