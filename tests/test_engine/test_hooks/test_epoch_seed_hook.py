import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmvireid.engine.hooks import EpochSeedHook


@pytest.fixture
def draw(monkeypatch):
    """``draw(seed, rank, epoch)``: the first numbers of an epoch."""

    def call(seed=0, rank=0, epoch=0, drawn_before=0):
        torch.rand(drawn_before)
        np.random.rand(drawn_before)  # noqa: NPY002 - the generator that the hook seeds
        random.random()
        monkeypatch.setattr('mmvireid.engine.hooks.epoch_seed_hook.get_rank', lambda: rank)
        EpochSeedHook().before_train_epoch(SimpleNamespace(seed=seed, epoch=epoch))
        return torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002

    return call


def test_numbers_depend_on_seed_rank_and_epoch_only(draw):
    first = draw()
    assert draw(drawn_before=5) == first
    others = [draw(seed=1), draw(rank=1), draw(epoch=1), draw(seed=1, epoch=1)]
    for index in range(3):  # of every generator
        assert len({numbers[index] for numbers in [first, *others]}) == 5
