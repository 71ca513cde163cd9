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

from mmvireid.errors import InvalidValueError, RunStoppedError
from mmvireid.models.base import unwrap
from mmvireid.models.base.alternating_reid import owned_parameters
from mmvireid.registry import HOOKS

#: Where the log, and so a checkpoint, has the number of steps that a run has skipped.
SKIPPED = 'skipped_steps'
#: How many gradients a message names.
NUM_SHOWN = 5


class Gradients(NamedTuple):
    """The gradients that a step has found."""

    names: Sequence[str]
    norms: Tensor  # L2, one per name
    total: Tensor  # scalar, the L2 norm of all: not finite if one of the norms is not

    def are_finite(self) -> bool:
        """Whether all of them are. This reads one number, and waits until it is computed."""
        return math.isfinite(self.total.item())


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop the training, or skip a step, when a logged value or a gradient is NaN or infinite.

    The message names the first term that is not finite, what was logged in the iteration and in
    the one before, the parameters with the worst gradients, and the images of the batch.

    - To *stop* is the default, and costs no waiting for the GPU: values are those that MMEngine
      has just fetched for the log, gradients are measured before a step, and read, one number
      per step, after the log's values, when they have long been computed.
    - To *skip*, set ``max_skips``. A step with such a gradient is left out, and with it those
      that share its backward pass: weights and optimisers do not move, buffers (the statistics
      of BatchNorm) return to what they were before the iteration, and the values of the iteration
      are logged, but not judged. This waits for the GPU before every step and copies the buffers
      in every iteration.

    Gradients under loss scaling are left out: a step that overflows is skipped there, by design.
    Several processes decide alike, as their gradients are averaged before.

    The number that is read is logged, too, as ``grad_norm``, the L2 norm of all gradients of a
    step. With several optimisers ``AlternatingReID`` logs a norm of each, with ``clip_grad``
    MMEngine logs the norm before clipping; both are left to them.

    Args:
        patience: How many iterations in a row the same value may be NaN or infinite beside finite
            gradients, the one that stops the training included. More than 1 suits a term that can
            recover. Weights cannot, so a gradient has no patience.
        max_skips: How many steps may be skipped in a run, all its resumptions included; the next
            one stops it.

    Raises:
        ValueError: If ``patience`` is below 1 or ``max_skips`` below 0.
    """

    priority = 'HIGH'  # after RuntimeInfoHook, which fetches the values

    def __init__(self, patience: int = 1, max_skips: int = 0) -> None:
        for name, value, least in (('patience', patience, 1), ('max_skips', max_skips, 0)):
            if value < least:
                raise InvalidValueError(
                    f'FiniteLossHook: `{name}` is {value}, expected at least {least}.'
                )
        self.patience = patience
        self.max_skips = max_skips
        self._handles, self._parameters = [], {}
        # of the current iteration:
        self._steps, self._skipped, self._buffers = [], [], {}

    def before_train(self, runner: Runner) -> None:
        """Watch the optimisers."""
        self._parameters = dict(unwrap(runner.model).named_parameters())
        for wrapper in self._optimizers(runner).values():
            if not isinstance(wrapper, AmpOptimWrapper):
                handle = wrapper.optimizer.register_step_pre_hook(lambda *_: self._measure(runner))
                self._handles.append(handle)

    def after_train(self, runner: Runner) -> None:
        """Watch them no longer."""
        while self._handles:
            self._handles.pop().remove()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        """Forget the last iteration, and keep what a forward pass may spoil."""
        self._steps, self._skipped = [], []
        if self.max_skips:
            buffers = unwrap(runner.model).named_buffers()
            self._buffers = {name: buffer.clone() for name, buffer in buffers}

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Check every value of the iteration, and every gradient.

        Raises:
            RuntimeError: If one of them is not finite and no skip is left; see the class.
        """
        history = {
            key: runner.message_hub.log_scalars[f'train/{key}'].data[0]
            for key in outputs or {}
            if not self._may_overflow(runner, key)
        }
        lost = []
        if self._skipped:
            count = self._undo(runner)
            if count <= self.max_skips:
                verdict = f'Skipped: {"; ".join(self._skipped)} ({count} of {self.max_skips}).'
                runner.logger.warning(self._report(runner, history, lost, verdict, data_batch))
                return
        else:
            lost = [key for key, values in history.items() if self._is_lost(values)]
            norms = [] if lost else [step.total.item() for step in self._steps]
            if not lost and all(map(math.isfinite, norms)):
                self._log_norm(runner, norms)
                return
        verdict = (
            f'Checkpoints from before iteration {runner.iter + 2 - (self.patience if lost else 1)} '
            'are sound; go on from one with a lower learning rate or weight.'
        )
        if self._skipped:
            verdict = f'All of {self.max_skips} skips are used up. {verdict}'
        raise RunStoppedError(self._report(runner, history, lost, verdict, data_batch))

    @torch.no_grad()
    def _measure(self, runner: Runner) -> None:
        """Measure the gradients of a backward pass before a step; drop them if they are bad."""
        gradients = {name: p.grad for name, p in self._parameters.items() if p.grad is not None}
        if not gradients:  # they were dropped before another optimiser's step
            return
        norms = torch.stack(torch._foreach_norm(list(gradients.values())))
        # squares of norms that are finite in float32 are so in float64
        total = torch.linalg.vector_norm(norms, dtype=torch.float64)
        self._steps.append(Gradients(list(gradients), norms, total))
        if self.max_skips and not self._steps[-1].are_finite():
            owners = [
                name
                for name, wrapper in self._optimizers(runner).items()
                if any(p.grad is not None for p in owned_parameters(wrapper))
            ]
            self._skipped.append(f'the step of {" and ".join(owners)}')
            for parameter in self._parameters.values():
                parameter.grad = None

    @staticmethod
    def _log_norm(runner: Runner, norms: Sequence[float]) -> None:
        """Hand the norm of the one optimiser's step to the log, unless somebody else does."""
        if norms and not getattr(runner.optim_wrapper, 'clip_grad_kwargs', True):
            runner.message_hub.update_scalar('train/grad_norm', norms[-1])

    def _undo(self, runner: Runner) -> int:
        """Put the buffers back.

        Returns:
            How many steps the run has skipped, the new ones included.
        """
        buffers = dict(unwrap(runner.model).named_buffers())
        for name, value in self._buffers.items():
            buffers[name].copy_(value)
        count = runner.message_hub.get_info(SKIPPED, 0) + len(self._skipped)
        runner.message_hub.update_info(SKIPPED, count)
        return count

    def _report(
        self, runner: Runner, history: dict, lost: list[str], verdict: str, data_batch: dict | None
    ) -> str:
        """What is wrong, everything that may tell why, and what follows from it."""
        worst = self._worst_gradients()
        wrong = lost or [key for key, values in history.items() if not np.isfinite(values[-1])]
        if wrong:
            # the total is no news: name a term where there is one
            term = next((key for key in wrong if not key.endswith('loss')), wrong[0])
            what = f'`{term}` is {history[term][-1]}'
        else:
            what = f'the gradient of `{worst[0][0]}` is {worst[0][1]}'
        before = f', and in the {self.patience - 1} before' if lost and self.patience > 1 else ''
        gradients = ', '.join(f'{name} {norm:.4g}' for name, norm in worst[:NUM_SHOWN])
        num_bad = sum(not math.isfinite(norm) for _, norm in worst)
        samples = (data_batch or {}).get('data_samples', ())
        images = ', '.join(sample.name for sample in samples if 'name' in sample)
        return (
            f'FiniteLossHook: {what} in iteration {runner.iter + 1} (epoch {runner.epoch + 1})'
            f'{before}. Now (and one iteration before): '
            f'{", ".join(self._course(key, values) for key, values in history.items())}. '
            f'Largest of {len(worst)} gradients, of which {num_bad} are not finite: '
            f'{gradients or "none was measured"}. {verdict} '
            f'Images of the batch: {images or "not known"}.'
        )

    def _worst_gradients(self) -> list[tuple[str, float]]:
        """Parameters and the norms of their gradients: those not finite first, then by size.

        A NaN spreads from the loss to the first layer, so what lies nearer to the loss comes
        first among those.
        """
        norms = {}
        for step in self._steps:
            for name, norm in zip(step.names, step.norms.tolist()):
                if math.isfinite(norms.get(name, 0.0)):  # a later step must not hide it
                    norms[name] = norm
        rows = list(reversed(norms.items()))
        rows.sort(key=lambda row: -row[1] if math.isfinite(row[1]) else -math.inf)
        return rows

    @staticmethod
    def _optimizers(runner: Runner) -> dict:
        """The optimisers by name, also where there is only one."""
        wrapper = runner.optim_wrapper
        return getattr(wrapper, 'optim_wrappers', dict(optimizer=wrapper))

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
