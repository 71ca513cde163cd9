"""Training stops where a loss stops being a number."""

import numpy as np
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner

from mmvireid.registry import HOOKS


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop the training when a logged value is NaN or infinite.

    It reads the values that MMEngine has just fetched for the log, so the GPU is not waited for
    once more. Checkpoints from before stay. Gradient norms under loss scaling are left out: a
    step that overflows is skipped there, by design.

    Args:
        patience: How many iterations in a row the same value may be NaN or infinite, the one that
            stops the training included. More than 1 suits a term that can recover.

    Raises:
        ValueError: If ``patience`` is below 1.
    """

    priority = 'HIGH'  # after RuntimeInfoHook, which fetches the values

    def __init__(self, patience: int = 1) -> None:
        if patience < 1:
            raise ValueError(f'FiniteLossHook: `patience` is {patience}, expected at least 1.')
        self.patience = patience

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Check every value of the iteration.

        Raises:
            RuntimeError: With the first term that is not finite, the iteration, and everything
                else that was logged in it and in the one before.
        """
        history = {
            key: runner.message_hub.log_scalars[f'train/{key}'].data[0]
            for key in outputs or {}
            if not self._may_overflow(runner, key)
        }
        bad = [key for key, values in history.items() if self._is_lost(values)]
        if bad:
            # the total is no news: name a term where there is one
            term = next((key for key in bad if not key.endswith('loss')), bad[0])
            before = f', and in the {self.patience - 1} before' if self.patience > 1 else ''
            raise RuntimeError(
                f'FiniteLossHook: `{term}` is {history[term][-1]} in iteration {runner.iter + 1} '
                f'(epoch {runner.epoch + 1}){before}. Now (and one iteration before): '
                f'{", ".join(self._course(key, values) for key, values in history.items())}. '
                f'Checkpoints from before iteration {runner.iter + 2 - self.patience} are sound; '
                'go on from one with a lower learning rate or weight.'
            )

    def _is_lost(self, values: np.ndarray) -> bool:
        """Whether none of the last values is finite."""
        last = values[-self.patience :]
        return len(last) == self.patience and not np.isfinite(last).any()

    @staticmethod
    def _may_overflow(runner: Runner, key: str) -> bool:
        """Whether a key is the gradient norm of an optimiser with loss scaling."""
        optimizer, is_norm, _ = key.rpartition('/')[2].partition('.grad_norm')
        return bool(is_norm) and isinstance(runner.optim_wrapper[optimizer], AmpOptimWrapper)

    @staticmethod
    def _course(key: str, values: np.ndarray) -> str:
        """The last two values of a key; what led to a NaN is seen in the one before."""
        before = f' ({values[-2]:.4g})' if len(values) > 1 else ''
        return f'{key} {values[-1]:.4g}{before}'
