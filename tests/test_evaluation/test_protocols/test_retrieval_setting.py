import numpy as np
import pytest

from mmvireid.evaluation import RetrievalSetting
from mmvireid.evaluation.protocols.retrieval_setting import (
    check_all_positive,
    check_choices,
    check_positive,
    is_positive,
)


def setting(queries, galleries):
    arrays = [tuple(np.array(rows, np.int64) for rows in side) for side in (queries, galleries)]
    return RetrievalSetting('mine/all', *arrays, candidates=np.arange(9), rank_by='image')


def test_who_asks_in_any_trial():
    found = setting([[3, 1], [1, 5], [3]], [[0], [2], [0]])
    assert found.all_queries.tolist() == [1, 3, 5]


@pytest.mark.parametrize(
    ('queries', 'galleries', 'side'),
    [
        ([[1], []], [[2], [2]], 'query'),
        ([[1], [1]], [[2], []], 'gallery'),
        ([], [], 'gallery'),
    ],
)
def test_a_setting_without_images_is_named(queries, galleries, side):
    with pytest.raises(ValueError, match=f'mine/all has no {side} images, expected some'):
        setting(queries, galleries)


def test_whole_numbers_of_at_least_one():
    assert [is_positive(value) for value in (1, np.int64(3))] == [True, True]
    assert not any(map(is_positive, (0, -1, 1.0, True, '1', None)))
    check_positive('Mine', 'shots', 2)
    with pytest.raises(ValueError, match='Mine: `shots` is 0, expected at least 1, a whole'):
        check_positive('Mine', 'shots', 0)


@pytest.mark.parametrize('values', [[], [1, 0], 3, '12', [True]])
def test_lists_of_them(values):
    check_all_positive('Mine', 'shots', [1, 10])
    with pytest.raises(ValueError, match='Mine: `shots` is .*, expected at least 1, a list'):
        check_all_positive('Mine', 'shots', values)


@pytest.mark.parametrize('values', [[], ['all', 'none'], 'all', None])
def test_some_of_what_is_allowed(values):
    check_choices('Mine', 'modes', ['all'], ('all', 'indoor'))
    with pytest.raises(ValueError, match=r"`modes` is .*, expected one or more of \['all'"):
        check_choices('Mine', 'modes', values, ('all', 'indoor'))
