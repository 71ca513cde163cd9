import itertools

import numpy as np
import pytest
from scipy.stats import bootstrap

from mmvireid.evaluation.functional import Difference, paired_bootstrap


@pytest.fixture
def random():
    return np.random.default_rng(5)


def slow_figure(draw, counts, sums):
    """Mean over trials of the mean over the queries of the drawn identities."""
    figures = []
    for number, total in zip(counts, sums):
        figures.append(sum(total[i] for i in draw) / sum(number[i] for i in draw))
    return sum(figures) / len(figures)


def test_the_interval_is_that_of_all_resamples_enumerated(random):
    counts = np.array([[2, 1, 3], [1, 4, 2]])  # two trials, three identities
    first, second = random.random((2, 2, 2, 3))  # two seeds each
    outcomes = []
    for draw in itertools.product(range(3), repeat=3):
        for one, other in itertools.product(range(2), repeat=2):  # one of two seeds is drawn
            outcomes.append(
                slow_figure(draw, counts, second[other]) - slow_figure(draw, counts, first[one])
            )
    found = paired_bootstrap(counts, first, second, level=0.7, num_resamples=40000)
    expected = np.quantile(outcomes, [0.15, 0.85], method='inverted_cdf')
    assert [found.low, found.high] == pytest.approx(expected, abs=0.02)
    everyone = range(3)
    means = [np.mean([slow_figure(everyone, counts, s) for s in sums]) for sums in (first, second)]
    assert found.value == pytest.approx(means[1] - means[0], abs=1e-12)


def test_scipy_agrees_on_one_query_per_person(random):
    first = random.random(40)
    second = first + 0.1 * random.standard_normal(40) + 0.05
    theirs = bootstrap(
        (first, second),
        lambda a, b, axis=-1: b.mean(axis=axis) - a.mean(axis=axis),
        paired=True,
        method='percentile',
        n_resamples=20000,
        rng=random,
    ).confidence_interval
    ours = paired_bootstrap(np.ones((1, 40)), first[None, None], second[None, None])
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.002)


def test_scipy_agrees_on_a_ratio_of_sums(random):
    counts = random.integers(1, 9, 30)
    first, second = random.random((2, 30)) * counts

    def difference(n, a, b, axis=-1):
        return (b.sum(axis=axis) - a.sum(axis=axis)) / n.sum(axis=axis)

    theirs = bootstrap(
        (counts, first, second), difference, paired=True, method='percentile',
        n_resamples=20000, rng=random,
    ).confidence_interval  # fmt: skip
    ours = paired_bootstrap(counts[None], first[None, None], second[None, None])
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.004)


def test_the_interval_holds_as_often_as_it_says(random):
    held, cases, truth = 0, 300, 0.05
    for case in range(cases):
        counts = random.integers(4, 12, 60)
        person = random.normal(0.4, 0.2, 60)  # common to both: cancels out

        def sums(shift, counts=counts, person=person):
            own = person + random.normal(0, 0.1, 60)
            return np.stack([counts * (own + shift + random.normal(0, 0.01)) for _ in range(3)])

        found = paired_bootstrap(
            counts[None], sums(0)[:, None], sums(truth)[:, None], num_resamples=400, seed=case
        )
        held += found.low <= truth <= found.high
    assert 0.91 <= held / cases <= 0.98  # 95 %, three standard deviations to each side


def test_seeds_alone_spread_as_the_mean_of_independent_trainings_does(random):
    """With people who are all alike, the interval is that of the seeds: s / sqrt(S)."""
    first, second = np.zeros((1, 1, 20)), random.standard_normal((12, 1, 1)) * np.ones((12, 1, 20))
    found = paired_bootstrap(np.ones((1, 20)), first, second)
    spread = second[:, 0, 0].std(ddof=1) / np.sqrt(12)
    assert found.high - found.low == pytest.approx(2 * 1.96 * spread, rel=0.1)


def test_a_person_who_is_hard_for_both_does_not_count(random):
    hard = random.random((1, 1, 50))
    found = paired_bootstrap(np.ones((1, 50)), hard, hard + 0.01)
    assert found.low == pytest.approx(0.01) and found.high == pytest.approx(0.01)
    assert found.is_one


@pytest.mark.parametrize(
    ('interval', 'is_one'), [((0.1, 2), True), ((-2, -0.1), True), ((-0.1, 2), False)]
)
def test_a_difference_is_one_where_the_interval_excludes_0(interval, is_one):
    assert Difference(0.5, *interval).is_one is is_one


def test_people_without_a_query_change_nothing(random):
    counts, sums = np.ones((1, 20)), random.random((2, 1, 1, 20))
    padded = [np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, 7)]) for array in (counts, *sums)]
    assert paired_bootstrap(*padded) == paired_bootstrap(counts, *sums)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(first=np.ones((1, 5))), r'`first` has shape \(1, 5\), expected \(seeds, 1, 5\)'),
        (dict(second=np.ones((1, 2, 5))), r'`second` has shape \(1, 2, 5\)'),
        (dict(counts=np.zeros((1, 5))), 'a trial without queries'),
        (dict(level=1.0), '`level` is 1.0, expected between 0 and 1'),
        (dict(num_resamples=0), '`num_resamples` is 0, expected at least 1'),
    ],
)
def test_bad_arguments_are_named(change, message):
    sums = np.ones((1, 1, 5))
    arguments = dict(counts=np.ones((1, 5)), first=sums, second=sums) | change
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(**arguments)
