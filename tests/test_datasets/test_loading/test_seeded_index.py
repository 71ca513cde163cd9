"""Random numbers that are a function of a seed."""

import random

import numpy as np
import pytest
import torch

from mmvireid.datasets.loading.seeded_index import seeded_randomness


def draw():
    return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002


def seed_all(seed):
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)


def test_draws_repeat_inside_and_continue_outside():
    seed_all(1)
    expected = [draw(), draw()]
    seed_all(1)
    before = draw()
    with seeded_randomness(7):
        first = draw()
    with seeded_randomness(7):
        second = draw()
    with seeded_randomness(8):
        third = draw()
    assert [before, draw()] == expected
    assert first == second
    assert all(one != other for one, other in zip(first, third, strict=True))


def test_generators_come_back_after_an_error():
    bits = np.random.get_bit_generator()
    with pytest.raises(KeyError), seeded_randomness(7):
        raise KeyError
    assert np.random.get_bit_generator() is bits
