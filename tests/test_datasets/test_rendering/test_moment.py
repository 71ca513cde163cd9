from dataclasses import asdict

import numpy as np
import pytest

from mmvireid.datasets.rendering.cameras import FLOOR, PANORAMA, Camera, camera_look
from mmvireid.datasets.rendering.moment import OVERSAMPLING, Occluder, draw_moment

LOOK = camera_look(0, Camera(1, 'visible', room=1))


@pytest.fixture(scope='module')
def moments():
    return [draw_moment(np.random.default_rng(seed), 'visible', LOOK) for seed in range(300)]


def test_a_moment_is_a_function_of_the_generator(moments):
    again = draw_moment(np.random.default_rng(7), 'visible', LOOK)
    assert again == moments[7] != moments[8]


def test_a_person_is_inside_the_picture_and_the_picture_inside_the_room(moments):
    for moment in moments:
        height, width = moment.size
        x, y = moment.origin
        assert height % OVERSAMPLING == width % OVERSAMPLING == 0
        assert y > 0 and y + moment.scale < height and 0.2 * width < x < 0.8 * width
        assert 0 <= moment.place[0] <= PANORAMA[1] - width
        assert FLOOR + moment.place[1] < PANORAMA[0]


def test_most_people_face_as_is_usual_there(moments):
    turns = np.array([m.pose.yaw - LOOK.facing for m in moments])
    away = np.abs((turns + np.pi) % (2 * np.pi) - np.pi)  # in [0, pi]
    assert 0.4 < (away < np.pi / 4).mean() < 0.6


def test_some_are_hidden_in_part(moments):
    occluders = [m.occluder for m in moments if m.occluder]
    assert 0.12 < len(occluders) / len(moments) < 0.25
    assert {occluder.kind for occluder in occluders} == {'pole', 'object'}


def test_the_hidden_area_is_that_of_a_drawn_mask(moments):
    for moment in moments:
        if moment.occluder:
            mask = np.zeros(moment.size, bool)
            left, top, right, bottom = moment.occluder.box
            mask[top:bottom, left:right] = True
            assert moment.occluder.area(moment.size[1]) == mask.sum()
    assert Occluder('pole', (50, 0, 60, 10), (0.5,)).area(40) == 0  # outside


def test_the_other_modality_changes_a_tone_and_nothing_else(moments):
    moment = next(m for m in moments if m.occluder)
    other = moment.seen_by(np.random.default_rng(1), 'infrared')
    assert len(moment.occluder.tone) == 3 and len(other.occluder.tone) == 1
    ours, theirs = asdict(moment), asdict(other)
    assert ours.pop('occluder') | dict(tone=0) == theirs.pop('occluder') | dict(tone=0)
    assert ours == theirs
    free = next(m for m in moments if not m.occluder)
    assert free.seen_by(np.random.default_rng(1), 'infrared') == free
