import numpy as np
import pytest

from mmvireid.evaluation.comparison import check_sources, compare, in_points
from mmvireid.evaluation.functional import Difference
from mmvireid.evaluation.query_results import IdentityScores


def scores(shift=0.0, mean_shift=None, num_ids=60, noise=0.05, seed=0, **changes):
    """One training: people differ, the shifts are those of the method."""
    random = np.random.default_rng(seed)
    queries = np.full((2, num_ids), 5.0)
    person = np.random.default_rng(99).uniform(0.2, 0.6, num_ids)
    values = {}
    for name, value in dict(R1=shift, mAP=shift if mean_shift is None else mean_shift).items():
        values[name] = queries * (person + value + noise * random.standard_normal(num_ids))
    others = dict(setting='sysu/all-1shot', asked='a', galleries='g', ids=np.arange(num_ids))
    return IdentityScores(**(others | dict(queries=queries) | values | changes))


def test_figures_and_differences_are_in_percent():
    found = compare([scores(noise=0)], [scores(0.1, noise=0)])
    first, second = found.figures['R1']
    assert second - first == pytest.approx(10)
    assert found.differences['R1'].value == pytest.approx(10)
    assert found.num_ids == 60 and found.num_seeds == (1, 1)


@pytest.mark.parametrize(
    ('shift', 'mean_shift', 'expected'),
    [
        (0.2, 0.2, 'New is better by R1 and mAP, compared with Base: R1 +'),
        (-0.2, -0.2, 'New is worse by R1 and mAP, compared with Base: R1 -'),
        (0.2, 0.0, 'New is better by R1, undecided by mAP, compared with Base'),
        (0.2, -0.2, 'New is better by R1, worse by mAP, compared with Base'),
        (0.0, 0.0, 'New and Base cannot be told apart'),
    ],
)
def test_one_sentence_says_what_may_be_concluded(shift, mean_shift, expected):
    found = compare([scores(seed=1)], [scores(shift, mean_shift, seed=1 if not shift else 2)])
    if mean_shift == 0.0:
        found.differences['mAP'] = Difference(0.1, -1.0, 1.2)
    sentence = found.sentence('Base', 'New')
    assert f'On sysu/all-1shot, {expected}' in sentence
    assert '95 % intervals over 60 people; one training each, so that other seeds' in sentence


def test_trainings_are_counted_in_the_sentence():
    three = [scores(seed=seed) for seed in range(3)]
    assert '3 trainings of each)' in compare(three, three).sentence('A', 'B')
    assert '1 and 3 trainings, so that other seeds' in compare(three[:1], three).sentence('A', 'B')


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(setting='sysu/indoor-1shot'), 'result 2 is of another protocol than result 1'),
        (dict(asked='b'), 'of another set of queries'),
        (dict(galleries='h'), 'of another gallery than result 1'),
        (dict(queries=np.full((2, 60), 4.0)), 'has other queries with a match'),
    ],
)
def test_unlike_results_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        compare([scores()], [scores(**changes)])


def test_points_have_a_sign():
    assert in_points(Difference(-1.0, -2.0, 0.5)) == '-1.00 [-2.00, +0.50]'


def test_files_that_contradict_each_other_are_named():
    first = dict(protocol='sysu', num_trials=10, test_data=dict(dataset='a'), seed=0)
    check_sources(dict(x=first, y=dict(first, seed=1), z=dict(protocol='sysu'), w={}))
    for changed, message in (
        (dict(num_trials=3), '`num_trials` of z is 3, expected 10, as of x'),
        (dict(test_data=dict(dataset='b')), "`dataset` of z is 'b', expected 'a', as of x"),
    ):
        with pytest.raises(ValueError, match=message):
            check_sources(dict(x=first, y={}, z=first | changed))
