"""Random numbers that a resumed run draws again."""

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvireid.registry import HOOKS


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """Seed all generators before every iteration, as a function of (seed, rank, iteration).

    What a model draws in an iteration (sampled codes, dropout, erased rectangles) then does not
    depend on what was drawn before it, and a run that is resumed anywhere equals one that was
    never interrupted. MMEngine stores no generator's state, and storing it would not be enough: a
    validation in between draws too, and every process has its own.
    """

    def before_train(self, runner: Runner) -> None:
        """Draw batches by the same seed.

        A resumed run has that of its checkpoint, which MMEngine reads when the sampler has one.
        """
        sampler = getattr(runner.train_dataloader.batch_sampler, 'sampler', None)
        if sampler is not None:  # some loaders have none of the two
            sampler.seed = runner.seed

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        """Seed Python's, NumPy's and torch's generators."""
        entropy = (runner.seed, get_rank(), runner.iter)
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - what transforms may draw from
        torch.manual_seed(seed)
