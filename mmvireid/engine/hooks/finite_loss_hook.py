"""Training stops, or skips a step, where a number stops being one."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner
from torch import Tensor

from mmvireid.models.base.alternating_reid import owned_parameters
from mmvireid.registry import HOOKS
from mmvireid.utils import unwrap

#: Where the log, and so every checkpoint, has the number of steps that a run has skipped.
SKIPPED = 'skipped_steps'


class Gradients(NamedTuple):
    """The gradients that a step found; nothing here waits for the GPU until it is read."""

    names: Sequence[str]
    norms: Tensor  # L2, one per name
    total: Tensor  # scalar, not finite if one of the norms is not

    def are_finite(self) -> bool:
        """Whether all of them are; reads one number."""
        return math.isfinite(self.total.item())


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop the training, or skip the step, when a logged value or a gradient is NaN or infinite.

    The message names the first term that is not finite, everything logged in the iteration and in
    the one before, the parameters with the largest gradients and the images of the batch.

    - *Stop*, the policy by default: the GPU is never waited for once more. Values are those that
      MMEngine has just fetched for the log; gradients are measured before the step, and one
      number per step is read after the log's, when it has long been computed.
    - *Skip*, with ``max_skips``: a step with such a gradient is left out, together with those that
      share its backward pass. Weights, optimisers and buffers (batch statistics) stay as they were
      before the iteration; its values are logged, but do not count. This waits for the GPU
      before every step, and copies the buffers in every iteration.

    Gradients, and their norms, under loss scaling are left out: a step that overflows is skipped
    there, by design. Where gradients are clipped by their norm, one NaN makes them all NaN.

    Args:
        patience: How many iterations in a row the same value may be NaN or infinite beside finite
            gradients, the one that stops the training included. More than 1 suits a term that can
            recover; weights cannot, so gradients have no patience.
        max_skips: How many steps a run, with all its resumptions, may skip. One more stops it.

    Raises:
        ValueError: If ``patience`` is below 1 or ``max_skips`` below 0.
    """

    priority = 'HIGH'  # after RuntimeInfoHook, which fetches the values

    def __init__(self, patience: int = 1, max_skips: int = 0) -> None:
        for name, value, least in (('patience', patience, 1), ('max_skips', max_skips, 0)):
            if value < least:
                raise ValueError(f'FiniteLossHook: `{name}` is {value}, expected at least {least}.')
        self.patience = patience
        self.max_skips = max_skips
        self._handles = []
        self._begin()

    def _begin(self) -> None:
        """Forget the last iteration."""
        self._steps = []  # the gradients of each
        self._skipped = []  # the optimisers of each that was left out
        self._buffers = {}

    def before_train(self, runner: Runner) -> None:
        """Watch the optimisers."""
        for wrapper in self._optimizers(runner).values():
            if not isinstance(wrapper, AmpOptimWrapper):
                watch = wrapper.optimizer.register_step_pre_hook(lambda *_: self._measure(runner))
                self._handles.append(watch)

    def after_train(self, runner: Runner) -> None:
        """Leave the optimisers alone."""
        while self._handles:
            self._handles.pop().remove()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        """Begin with nothing measured, and remember what a forward pass may spoil."""
        self._begin()
        if self.max_skips:
            buffers = unwrap(runner.model).named_buffers()
            self._buffers = {name: buffer.clone() for name, buffer in buffers}

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Check every value of the iteration, and every gradient.

        Raises:
            RuntimeError: If one of them is not finite and the policy has no skip left for it.
        """
        history = {
            key: runner.message_hub.log_scalars[f'train/{key}'].data[0]
            for key in outputs or {}
            if not self._may_overflow(runner, key)
        }
        if self._skipped:
            self._settle(runner, history, data_batch)
            return
        lost = [key for key, values in history.items() if self._is_lost(values)]
        if lost or not all(step.are_finite() for step in self._steps):
            sound = runner.iter + 2 - (self.patience if lost else 1)
            before = f', and in the {self.patience - 1} before' if lost[self.patience < 2 :] else ''
            raise RuntimeError(
                self._describe(
                    runner,
                    history,
                    data_batch,
                    first=lost,
                    verdict=f'Checkpoints from before iteration {sound} are sound; go on from one '
                    'with a lower learning rate or weight.',
                )
            )
