import numpy as np
import pytest

from mmvireid.datasets.rendering.cameras import (
    FLOOR,
    PANORAMA,
    Camera,
    background,
    camera_look,
    develop,
    draw_exposure,
    record,
)

VISIBLE, INFRARED = Camera(2, 'visible', room=1), Camera(3, 'infrared', room=1)
LOOK = camera_look(0, VISIBLE)


def cut(camera, seed=0):
    place = np.random.default_rng(seed).integers([0, 10], [PANORAMA[1] - 50, 60]).tolist()
    return background(0, camera, (100, 50), 90, place)


def test_two_cameras_of_a_room_see_the_same_place():
    """Outlines agree where the draws agree; tones are drawn apart, so edges are compared."""
    elsewhere = Camera(6, 'infrared', room=9)

    def edges(camera):
        pictures = [cut(camera, seed) for seed in range(4)]
        return np.concatenate([np.abs(np.diff(p.mean(2), axis=1)).ravel() for p in pictures])

    same, other = (np.corrcoef(edges(VISIBLE), edges(c))[0, 1] for c in (INFRARED, elsewhere))
    assert same > 0.6 > other + 0.3


def test_a_background_has_the_channels_of_its_modality():
    assert cut(VISIBLE).shape == (100, 50, 3) and cut(INFRARED).shape == (100, 50, 1)


def test_a_background_is_a_copy_that_holds_values_of_pictures():
    first = cut(VISIBLE)
    assert first.min() >= 0 and first.max() <= 1 and first.dtype == np.float32
    before = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(cut(VISIBLE), before)
    assert not np.array_equal(cut(VISIBLE, seed=1), before)
    assert PANORAMA[0] > FLOOR


def test_a_camera_keeps_its_look():
    assert camera_look(0, VISIBLE) == LOOK != camera_look(1, VISIBLE)
    # another camera of the same room and number, but of the other modality, is another camera
    assert camera_look(0, Camera(2, 'infrared', room=1)).noise != LOOK.noise
    assert len(set(LOOK.gain)) == 3 and len(camera_look(0, INFRARED).gain) == 1


@pytest.mark.parametrize('camera', [VISIBLE, INFRARED])
def test_a_brighter_scene_gives_a_brighter_picture(camera):
    look = camera_look(0, camera)
    channels = 3 if camera is VISIBLE else 1

    def mean(tone):
        scene = np.full((60, 30, channels), tone, np.float32)
        rng = np.random.default_rng(0)
        picture = record(scene, look, draw_exposure(rng, camera.modality, look), rng)
        assert picture.shape == (60, 30, 3) and picture.dtype == np.uint8
        assert (np.ptp(picture, axis=2).max() == 0) == (camera is INFRARED)
        return picture.mean()

    assert mean(0.2) + 20 < mean(0.5) < mean(0.8) - 20


def test_the_beam_of_an_infrared_camera_is_brightest_at_its_centre():
    look = camera_look(0, INFRARED)
    exposure = draw_exposure(np.random.default_rng(0), 'infrared', look)
    lit = develop(np.full((61, 31, 1), 0.5, np.float32), look, exposure)[..., 0]
    row, column = np.unravel_index(lit.argmax(), lit.shape)
    centre_y, centre_x, _ = exposure.beam
    assert row == pytest.approx(60 * centre_y, abs=1) and column == pytest.approx(
        30 * centre_x, abs=1
    )
    assert lit.min() == min(lit[0, 0], lit[0, -1], lit[-1, 0], lit[-1, -1])


def test_a_visible_camera_has_no_beam_and_keeps_grey_grey_up_to_its_white_balance():
    exposure = draw_exposure(np.random.default_rng(0), 'visible', LOOK)
    lit = develop(np.full((4, 2, 3), 0.5, np.float32), LOOK, exposure)
    assert exposure.beam is None and (lit == lit[0, 0]).all()
    np.testing.assert_allclose(
        lit[0, 0], (0.5 * np.array(exposure.gain)) ** exposure.gamma, rtol=1e-5
    )
