"""Training stops where a loss stops being a number."""

import math

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvireid.registry import HOOKS


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop the training when a logged value is NaN or infinite.

    It reads the values that MMEngine has just fetched for the log, so the GPU is not waited for
    once more. Checkpoints on disk are from before, and stay.
    """

    priority = 'HIGH'  # after RuntimeInfoHook, which fetches the values

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Check every value of the iteration.

        Raises:
            RuntimeError: With the first term that is not finite, the iteration, and everything
                else that was logged in it and in the one before.
        """
        history = runner.message_hub.log_scalars
        values = {key: history[f'train/{key}'].current() for key in outputs or {}}
        bad = [key for key, value in values.items() if not math.isfinite(value)]
        if bad:
            # the total is no news: name a term where there is one
            term = next((key for key in bad if not key.endswith('loss')), bad[0])
            raise RuntimeError(
                f'FiniteLossHook: `{term}` is {values[term]} in iteration {runner.iter + 1} '
                f'(epoch {runner.epoch + 1}). Now (and one iteration before): '
                f'{", ".join(self._course(key, history) for key in values)}. The last checkpoint '
                'is untouched; go on from it with a lower learning rate or weight.'
            )

    @staticmethod
    def _course(key: str, history: dict) -> str:
        """The last two values of a key; what led to a NaN is seen in the one before."""
        values, _ = history[f'train/{key}'].data
        before = f' ({values[-2]:.4g})' if len(values) > 1 else ''
        return f'{key} {values[-1]:.4g}{before}'
