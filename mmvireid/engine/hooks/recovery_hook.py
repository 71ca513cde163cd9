"""How little work is lost when a run is killed, and how it ends when it is asked to."""

import signal
import sys
import time
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvireid.registry import HOOKS

from .checkpoint_hook import point_to

#: What a scheduler or a person ends a run with.
SIGNALS = (signal.SIGTERM, signal.SIGINT)
TEMPLATE = 'recovery_{}.pth'


@HOOKS.register_module()
class RecoveryHook(Hook):
    """Write checkpoints to recover from within an epoch, and one when the run is interrupted.

    These are extra to the checkpoints of ``CheckpointHook``: two at most at a time, named after
    their iteration, removed when the training is complete. ``--resume`` finds the newest of
    both kinds.

    SIGTERM and Ctrl-C end the run after the current iteration with such a checkpoint, and with a
    line that says how to go on; a second Ctrl-C ends it at once.

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
                raise ValueError(
                    f'RecoveryHook: `{name}` is {value}, expected more than 0, or None.'
                )
        self.minutes, self.iterations = minutes, iterations
        self.received = None
        self._previous = {}

    def before_train(self, runner: Runner) -> None:
        """Start the clock, and listen."""
        self._saved_at = time.monotonic()
        self._previous = {number: signal.signal(number, self._receive) for number in SIGNALS}

    def after_train(self, runner: Runner) -> None:
        """Stop listening, and remove what nobody will resume from."""
        self._stop_listening()
        if is_main_process():
            for path in self._written(runner):
                path.unlink()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Save when it is time, and end the run when it was asked to.

        Raises:
            SystemExit: After a signal, with 128 and its number, as shells have it.
        """
        if is_main_process() and (self.received is not None or self._is_due(runner)):
            self._save(runner)
        if self.received is not None:
            self._stop_listening()
            name = signal.Signals(self.received).name
            runner.logger.warning(
                f'{name} in iteration {runner.iter + 1}: stopped after it, nothing is lost. Go on '
                f'with the same command and --resume.'
            )
            sys.exit(128 + self.received)

    def _receive(self, number: int, frame) -> None:
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = number

    def _stop_listening(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def _is_due(self, runner: Runner) -> bool:
        late = self.minutes is not None and time.monotonic() - self._saved_at >= 60 * self.minutes
        every = self.iterations is not None and self.every_n_train_iters(runner, self.iterations)
        return late or every

    def _save(self, runner: Runner) -> None:
        """Write a checkpoint, point to it, remove all but it and the one before."""
        name = TEMPLATE.format(runner.iter + 1)
        before = self._written(runner)
        runner.save_checkpoint(
            runner.work_dir,
            name,
            by_epoch=False,
            backend_args=dict(backend='atomic'),
        )
        point_to(runner.work_dir, str(Path(runner.work_dir, name)))
        for path in before[:-1]:
            if path.name != name:
                path.unlink()
        self._saved_at = time.monotonic()

    @staticmethod
    def _written(runner: Runner) -> list[Path]:
        """What is there, oldest first."""
        found = Path(runner.work_dir).glob(TEMPLATE.format('*'))
        return sorted(found, key=lambda path: int(path.stem.rpartition('_')[2]))
