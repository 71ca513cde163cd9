import numpy as np
import pytest

from mmvireid.visualization import RankedList, draw_ranked_lists
from mmvireid.visualization.ranked_lists import NEUTRAL, RIGHT, WRONG


def ranked(right):
    image = np.full((40, 20, 3), 128, np.uint8)
    return RankedList(image, [image] * len(right), right, 'query', ['match'] * len(right))


def count(picture, color):
    return int((picture == np.array(color)).all(axis=2).sum())


def test_frames_say_right_and_wrong():
    none_right, one_right, two_right = (
        draw_ranked_lists([ranked(right)], 'title')
        for right in ([False] * 3, [True, False, False], [True, False, True])
    )
    assert count(none_right, RIGHT) == 0
    assert count(one_right, RIGHT) > 1000
    assert count(two_right, RIGHT) == pytest.approx(2 * count(one_right, RIGHT), rel=0.01)
    assert count(none_right, WRONG) > count(one_right, WRONG) > count(two_right, WRONG) > 0


def test_what_nobody_knows_is_neither_right_nor_wrong():
    picture = draw_ranked_lists([ranked([None, None])], 'title')
    assert count(picture, RIGHT) == count(picture, WRONG) == 0
    assert count(picture, NEUTRAL) > 2 * 1500


def test_rows_of_different_length_fit_below_each_other():
    short, long = ranked([True]), ranked([True] * 10)
    both = draw_ranked_lists([short, long], 'title')
    alone = draw_ranked_lists([long], 'title')
    assert both.shape[1] == alone.shape[1]
    assert both.dtype == np.uint8


def test_nothing_to_draw_is_named():
    with pytest.raises(ValueError, match='`lists` is empty'):
        draw_ranked_lists([], 'title')
