from dataclasses import replace

import numpy as np
import pytest

from mmvireid.datasets.rendering.cameras import Camera, camera_look
from mmvireid.datasets.rendering.moment import Occluder, draw_moment

CAMERA = Camera(1, 'visible', room=1)
LOOK = camera_look(0, CAMERA)


@pytest.fixture(scope='module')
def moments():
    rng = np.random.default_rng(0)
    return [draw_moment(rng, 'visible', LOOK) for _ in range(400)]


def test_a_person_fits_into_the_crop(moments):
    for moment in moments:
        height, width = moment.size
        x, y = moment.origin
        assert y > 0 and y + moment.scale < height
        assert 0.2 * width < x < 0.8 * width
        assert height % 2 == width % 2 == 0  # twice those of the picture
        assert -1 <= moment.light <= 1 and moment.perspective >= 0


def test_people_face_as_often_as_is_usual_here(moments):
    """Half of them the usual way, a fifth the other way, the rest sideways."""
    turn = [np.cos(moment.pose.yaw - LOOK.facing) for moment in moments]
    shares = [np.mean(np.array(turn) > 0.7), np.mean(np.array(turn) < -0.7)]
    np.testing.assert_allclose(shares, [0.5, 0.2], atol=0.07)


def test_some_are_hidden_in_part(moments):
    occluders = [moment.occluder for moment in moments if moment.occluder is not None]
    assert len(occluders) / len(moments) == pytest.approx(0.18, abs=0.06)
    assert {occluder.kind for occluder in occluders} == {'pole', 'object'}
    for moment in moments:
        if moment.occluder is not None:
            left, top, _, bottom = moment.occluder.box
            assert left >= 0 and bottom == moment.size[0]
            assert (top == 0) == (moment.occluder.kind == 'pole')


def test_another_modality_sees_the_same_but_for_the_tone(moments):
    rng = np.random.default_rng(1)
    for moment in moments[:60]:
        seen = moment.seen_by(rng, 'infrared')
        if moment.occluder is None:
            assert seen == moment
        else:
            assert [len(m.occluder.tone) for m in (moment, seen)] == [3, 1]
            assert replace(seen.occluder, tone=moment.occluder.tone) == moment.occluder
            assert replace(seen, occluder=None) == replace(moment, occluder=None)


def test_the_area_is_that_within_the_picture():
    for box, expected in (((4, 0, 10, 20), 120), ((4, 5, 30, 20), 90), ((16, 0, 20, 20), 0)):
        mask = np.zeros((20, 10), bool)
        mask[box[1] : box[3], box[0] : box[2]] = True
        assert Occluder('object', box, (0.5,)).area(10) == mask.sum() == expected
