import numpy as np
import pytest

from mmvireid.datasets.rendering.canvas import Canvas

SQUARE = np.array([(-0.1, 0.2), (0.1, 0.2), (0.1, 0.4), (-0.1, 0.4)])
TONES = np.array([[0.4], [0.8]], np.float32)


def canvas(**options):
    return Canvas(np.full((120, 60, 1), -1, np.float32), 100, (30, 10), **options)


def plain(across, down):
    return None


def test_person_heights_become_pixels():
    np.testing.assert_allclose(canvas().to_pixels(SQUARE), SQUARE * 100 + (30, 10))
    # the middle of a slanted person stays where it is, the head goes left
    head, middle = canvas(lean=0.2).to_pixels(np.array([(0, 0.0), (0, 0.5)]))
    assert head.tolist() == pytest.approx([30 - 10, 10])
    assert middle.tolist() == pytest.approx([30, 60])


def test_from_above_the_head_is_wider_than_the_feet_and_both_keep_their_rows():
    points = np.array([(0.1, 0.0), (0.1, 1.0)])
    head, feet = canvas(perspective=0.1).to_pixels(points)
    assert head[0] > 40 > feet[0]
    assert (head[1], feet[1]) == pytest.approx((10, 110))


def test_an_outline_is_filled_and_no_more():
    picture = canvas()
    picture.paint([SQUARE], TONES, plain)
    painted = picture.pixels[..., 0] >= 0
    rows, columns = np.flatnonzero(painted.any(1)), np.flatnonzero(painted.any(0))
    assert (rows[0], rows[-1]) == (30, 50) and (columns[0], columns[-1]) == (20, 40)
    assert painted.sum() == 21 * 21


def test_outlines_that_overlap_leave_no_hole():
    picture = canvas()
    picture.paint([SQUARE, SQUARE + 0.05], TONES, plain)
    assert (picture.pixels[36:50, 26:40] >= 0).all()


def test_the_second_tone_shows_where_it_is_wanted():
    picture = canvas()
    picture.paint([SQUARE], TONES, lambda across, down: (across > 0) & (down > 0))
    left, right = picture.pixels[40, 25, 0], picture.pixels[40, 35, 0]
    assert right / left == pytest.approx(2, rel=0.02)  # mirrored places have one shade


def test_what_lies_outside_is_not_painted():
    picture = canvas()
    picture.paint([SQUARE + 5], TONES, plain)
    assert (picture.pixels == -1).all()


def test_the_shade_is_bright_in_the_middle_and_towards_the_light():
    mask = np.zeros((41, 41), np.uint8)
    mask[10:31, 10:31] = 255
    shade = canvas().shade(mask)
    assert shade[20, 20] == pytest.approx(1) and 0.5 < shade[20, 10] < 0.85
    lit = canvas(light=1.0).shade(mask)
    assert lit[20, 10] != pytest.approx(lit[20, 30])
    np.testing.assert_allclose(canvas(light=-1.0).shade(mask)[:, ::-1], lit)
