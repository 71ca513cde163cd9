"""Random numbers that are a function of a seed."""

import random

import numpy as np
import pytest

from mmvireid.datasets.seeded_index import seeded_randomness


def draw():
    return random.random(), np.random.rand()  # noqa: NPY002


def test_draws_repeat_inside_and_continue_outside():
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    expected = [draw(), draw()]
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = draw()
    with seeded_randomness(7):
        first = draw()
    with seeded_randomness(7):
        second = draw()
    with seeded_randomness(8):
        third = draw()
    assert [before, draw()] == expected
    assert first == second
    assert first[0] != third[0] and first[1] != third[1]


def test_generators_come_back_after_an_error():
    bits = np.random.get_bit_generator()
    with pytest.raises(KeyError), seeded_randomness(7):
        raise KeyError
    assert np.random.get_bit_generator() is bits
