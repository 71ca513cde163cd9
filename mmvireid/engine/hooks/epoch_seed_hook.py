"""Random numbers that a resumed run draws again."""

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvireid.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed all generators before every epoch, as a function of (seed, rank, epoch).

    What a model draws in an epoch (sampled codes, dropout, triplets) then does not depend on what
    was drawn before it, and a run that is resumed equals one that was never interrupted. MMEngine
    stores no generator's state, and storing it would not be enough: a validation between two
    epochs draws too.
    """

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed Python's, NumPy's and torch's generators."""
        entropy = (runner.seed, get_rank(), runner.epoch)
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - what transforms may draw from
        torch.manual_seed(seed)
