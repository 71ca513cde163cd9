import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmvireid.engine.hooks import IterationSeedHook


@pytest.fixture
def draw(monkeypatch):
    """``draw(seed, rank, iteration)``: the first numbers of an iteration."""

    def call(seed=0, rank=0, iteration=0, drawn_before=0):
        torch.rand(drawn_before)
        np.random.rand(drawn_before)  # noqa: NPY002 - the generator that the hook seeds
        random.random()
        monkeypatch.setattr('mmvireid.engine.hooks.iteration_seed_hook.get_rank', lambda: rank)
        IterationSeedHook().before_train_iter(SimpleNamespace(seed=seed, iter=iteration), 0)
        return torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002

    return call


def test_numbers_depend_on_seed_rank_and_iteration_only(draw):
    first = draw()
    assert draw(drawn_before=5) == first
    others = [draw(seed=1), draw(rank=1), draw(iteration=1), draw(seed=1, iteration=1)]
    for index in range(3):  # of every generator
        assert len({numbers[index] for numbers in [first, *others]}) == 5
