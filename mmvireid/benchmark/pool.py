"""Processes side by side, of which one that fails stops no other."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: Seconds between two looks at the processes, and that they may take to end when asked to.
LOOK, PATIENCE = 0.2, 60.0


@dataclass
class Job:
    """A process to run.

    Args:
        name: What it is called, in files too.
        command: Its command line.
    """

    name: str
    command: Sequence[str]


@dataclass
class Ended:
    """A process that has run.

    Args:
        job: Which.
        seconds: How long it ran.
        reason: Why it failed, the last line that it wrote; ``None`` if it did not.
    """

    job: Job
    seconds: float
    reason: str | None


class Pool:
    """Runs processes side by side, each with its output in a file.

    A process whose parent dies notices: its standard input ends. SIGTERM and Ctrl-C end them all,
    and the pool.

    Args:
        size: How many at a time.
        logs: Folder of their outputs.
        env: Environment variables, beside those that there are.
    """

    def __init__(self, size: int, logs: Path, env: dict[str, str]) -> None:
        self.size, self.logs = size, logs
        # what a process says stands in its log in the order in which it said it: its reason last
        self.env = os.environ | dict(PYTHONUNBUFFERED='1') | env
        self.running: dict[subprocess.Popen, tuple[Job, float]] = {}
        #: The signal that has ended the pool, and until when its processes may take to end.
        self.stopped, self.deadline = 0, float('inf')

    def run(
        self,
        jobs: Sequence[Job],
        on_end: Callable[[Ended], None],
        on_look: Callable[[], None] = lambda: None,
    ) -> None:
        """Run all of them, or until a signal comes.

        Args:
            jobs: In the order in which they start.
            on_end: Called after each, in this process.
            on_look: Called a few times in a second.
        """
        waiting = list(reversed(jobs))
        previous = {n: signal.signal(n, self._stop) for n in (signal.SIGTERM, signal.SIGINT)}
        try:
            while (self.running or (waiting and not self.stopped)) and not self._is_late():
                while waiting and len(self.running) < self.size and not self.stopped:
                    self._start(waiting.pop())
                self._collect(on_end)
                on_look()
                time.sleep(LOOK)
        finally:
            self._end_all()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _start(self, job: Job) -> None:
        with open(self.logs / f'{job.name}.log', 'ab') as log:
            process = subprocess.Popen(
                job.command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self.env,
                start_new_session=True,  # a Ctrl-C is passed on, once
            )
        self.running[process] = job, time.monotonic()

    def _collect(self, on_end: Callable[[Ended], None]) -> None:
        for process in [process for process in self.running if process.poll() is not None]:
            job, began = self.running.pop(process)
            process.stdin.close()
            if self.stopped and process.returncode:
                continue  # it goes on another time
            reason = self._reason(job, process.returncode) if process.returncode else None
            on_end(Ended(job, time.monotonic() - began, reason))

    def _reason(self, job: Job, status: int) -> str:
        text = (self.logs / f'{job.name}.log').read_text('utf-8', 'replace')
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if status < 0:
            name = signal.Signals(-status).name
            return f'ended by {name}' + ' (out of memory?)' * (status == -signal.SIGKILL)
        return lines[-1] if lines else f'exit status {status}'

    def _is_late(self) -> bool:
        return time.monotonic() > self.deadline

    def _stop(self, number: int, frame) -> None:
        self.stopped, self.deadline = number, time.monotonic() + PATIENCE
        for process in self.running:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)

    def _end_all(self) -> None:
        """Leave nobody behind, after an error in this process or if they take too long."""
        for process in self.running:
            process.kill()
            process.wait()


def end_with_parent() -> None:
    """Let this process end, as by SIGTERM, when the one that has started it is gone.

    For a process of a :class:`Pool`, whose standard input is a pipe that nobody writes to.
    """

    def watch() -> None:
        with suppress(OSError):
            os.read(sys.stdin.fileno(), 1)  # not its buffer, whose lock the end of Python wants
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
