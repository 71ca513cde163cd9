"""How little work is lost when a run is killed, and how it ends when it is asked to."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.dist import all_reduce, barrier, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvireid.datasets.loading.worker_signals import SIGNALS, shield_workers
from mmvireid.errors import InvalidValueError
from mmvireid.registry import HOOKS

from .checkpoint_hook import newest_checkpoint, rank_buffers, write_checkpoint

TEMPLATE = 'recovery_{}.pth'


@contextmanager
def handlers_put_back() -> Iterator[None]:
    """Who listens to SIGTERM and Ctrl-C is afterwards as before, however the block ends.

    A training that fails tells no hook. What listens for it would go on, and a notebook or the
    next training would hear no Ctrl-C.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():  # only it may
            for number, handler in before.items():
                signal.signal(number, handler)


@HOOKS.register_module()
class RecoveryHook(Hook):
    """Write checkpoints to recover from within an epoch, and one when the run is interrupted.

    These are extra to the checkpoints of ``CheckpointHook``: two at most at a time, named after
    their iteration, removed when the training is complete. ``--resume`` finds the newest of
    both kinds.

    SIGTERM and Ctrl-C end the run after the current iteration with such a checkpoint, and with a
    line that says how to go on; a second Ctrl-C ends it at once. Several processes end after the
    same iteration, whichever of them has received the signal: they ask one another after every
    iteration, when the log's values have just been waited for. Workers that load data leave these
    signals to the process that they load for.

    Args:
        minutes: Time between two, that is: how much work can be lost. ``None`` for no limit.
        iterations: Number of iterations between two; ``None`` for no limit.

    Raises:
        ValueError: If one of them is not positive.
    """

    priority = 'LOWEST'  # after the schedulers, and after what else changes in an iteration

    def __init__(self, minutes: float | None = 10.0, iterations: int | None = None) -> None:
        for name, value in dict(minutes=minutes, iterations=iterations).items():
            if value is not None and value <= 0:
                raise InvalidValueError(
                    f'RecoveryHook: `{name}` is {value}, expected more than 0, or None.'
                )
        self.minutes, self.iterations = minutes, iterations
        self.received = 0  # no signal
        self._previous = {}

    def before_train(self, runner: Runner) -> None:
        """Start the clock, and listen."""
        self._saved_at = time.monotonic()
        if threading.current_thread() is threading.main_thread():  # only it may
            self._previous = {number: signal.signal(number, self._receive) for number in SIGNALS}
        for loop in filter(None, (runner.train_loop, runner.val_loop)):
            shield_workers(loop.dataloader)

    def after_train(self, runner: Runner) -> None:
        """Stop listening, and remove what nobody will resume from."""
        self._stop_listening()
        if is_main_process():
            newest = newest_checkpoint(runner.work_dir)
            for path in self._written(runner):
                if path != newest:
                    path.unlink()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Save when it is time, and end the run when it was asked to.

        Raises:
            SystemExit: After a signal, with 128 and its number, as shells have it.
        """
        number, is_due = self._agree(runner)
        if number or is_due:
            self._save(runner, runner.iter + 1)
        if number:
            self._end(runner, number, f'iteration {runner.iter + 1}: stopped after it')

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """End the run if it was asked to: a validation is done again when the run goes on.

        Several processes end after it, for they need not have the same number of batches.

        Raises:
            SystemExit: As after an iteration of the training.
        """
        if self.received and get_world_size() == 1:
            self._save(runner, runner.iter)
            self._end(runner, self.received, 'a validation: stopped, it will be done again')

    def _agree(self, runner: Runner) -> tuple[int, bool]:
        """The signal that any process has received (0: none), and whether it is time for any."""
        said = torch.tensor([self.received, self._is_due(runner)])
        all_reduce(said, 'max')
        number, is_due = said.tolist()
        return number, bool(is_due)

    def _receive(self, number: int, frame) -> None:
        if self.received and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = number

    def _end(self, runner: Runner, number: int, when: str) -> None:
        """Leave together, when the main process has written its checkpoint."""
        runner.logger.warning(
            f'{signal.Signals(number).name} in {when}, nothing is lost. Go on with the same '
            'command and --resume.'
        )
        barrier()
        self._stop_listening()
        sys.exit(128 + number)

    def _stop_listening(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def _is_due(self, runner: Runner) -> bool:
        late = self.minutes is not None and time.monotonic() - self._saved_at >= 60 * self.minutes
        every = self.iterations is not None and self.every_n_train_iters(runner, self.iterations)
        return late or every

    def _save(self, runner: Runner, iteration: int) -> None:
        """Write a checkpoint, point to it, remove all but it and the one before."""
        self._saved_at = time.monotonic()
        name = TEMPLATE.format(iteration)
        write_checkpoint(
            runner,
            runner.work_dir,
            name,
            [path for path in self._written(runner)[:-1] if path.name != name],
            meta=dict(epoch=runner.epoch, iter=iteration, **rank_buffers(runner.model)),
            backend_args=dict(backend='atomic'),
        )

    @staticmethod
    def _written(runner: Runner) -> list[Path]:
        """What is there, oldest first."""
        found = Path(runner.work_dir).glob(TEMPLATE.format('*'))
        return sorted(found, key=lambda path: int(path.stem.rpartition('_')[2]))
