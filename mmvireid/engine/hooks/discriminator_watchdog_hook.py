"""Training stops where a discriminator has nothing left to learn."""

from collections.abc import Sequence

import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvireid.errors import InvalidValueError, RunStoppedError
from mmvireid.models.base import unwrap
from mmvireid.registry import HOOKS


@HOOKS.register_module()
class DiscriminatorWatchdogHook(Hook):
    """Stop the training when a discriminator's loss has been exactly 0 for a while.

    Such a discriminator is certain of everything, or sees nothing; either way the generator
    learns nothing from it any more. The hook reads the log's histories, which a resumed run
    has too, and never waits for the GPU.

    Args:
        patience: Number of iterations in a row, of those in which the update runs, with a loss
            of exactly 0.
        discriminators: The updates to watch; ``None`` for those with "discriminator" in their
            name.

    Raises:
        ValueError: If ``patience`` is below 1.
    """

    priority = 'HIGH'  # after RuntimeInfoHook, which fetches the values

    def __init__(self, patience: int = 100, discriminators: Sequence[str] | None = None) -> None:
        if patience < 1:
            raise InvalidValueError(
                f'DiscriminatorWatchdogHook: `patience` is {patience}, expected at least 1.'
            )
        self.patience = patience
        self.discriminators = discriminators

    def before_train(self, runner: Runner) -> None:
        """Find the updates to watch.

        Raises:
            ValueError: If there is none, or one of them does not exist.
        """
        updates = list(getattr(unwrap(runner.model), 'updates', {}))
        if self.discriminators is None:
            self.discriminators = [name for name in updates if 'discriminator' in name]
        if not self.discriminators or not set(self.discriminators) <= set(updates):
            raise InvalidValueError(
                f'DiscriminatorWatchdogHook: `discriminators` is {list(self.discriminators)}, '
                f'expected some of the updates {updates} of the model.'
            )

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Check the losses of the discriminators that were updated.

        Raises:
            RuntimeError: If one has been 0 for too long; says since when, and where to look.
        """
        for name in self.discriminators:
            if f'{name}/loss' not in outputs:
                continue
            losses, _ = runner.message_hub.log_scalars[f'train/{name}/loss'].data
            if len(losses) >= self.patience and not losses[-self.patience :].any():
                nonzero = np.flatnonzero(losses)
                zeros = len(losses) - (nonzero[-1] + 1 if len(nonzero) else 0)
                raise RunStoppedError(
                    f'DiscriminatorWatchdogHook: the loss of update {name!r} has been exactly 0 '
                    f'for {zeros} iterations, since iteration {runner.iter + 2 - zeros}. The '
                    'discriminator has won, or it sees no data. Look at the translated pictures '
                    '(GenerationHook); check that real and generated images differ neither in '
                    'normalisation nor in size, and that the form of the loss suits the '
                    "discriminator's output; then lower its learning rate."
                )
