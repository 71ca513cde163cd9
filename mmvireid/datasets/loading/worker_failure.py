"""Which image a data loading worker was at when it failed or died."""

import mmap
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from traceback import walk_tb

from mmvireid.errors import Refusal

#: A process leaves its note in the slot that its number falls into, as ``<number> <path>\\0``.
NUM_SLOTS, SLOT_SIZE = 1024, 1024
#: Memory that this process shares with the workers that it forks. Its pages are taken when used.
_notes = mmap.mmap(-1, NUM_SLOTS * SLOT_SIZE)

#: Between the first broken connection of a dying worker and the signal that it is dead.
SECONDS_TO_DIE = 5

_LOADER = 'torch.utils.data.dataloader'
_DIED = re.compile(r'DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\)')
_RAISED = re.compile(r'Caught \S+ in DataLoader worker process')
#: Of a traceback: a frame, and the line that has the error, with what follows it.
_FRAME = re.compile(r'^  File ".+", line \d+', re.MULTILINE)
_ERROR = re.compile(r'^[\w.]+: (.+)', re.MULTILINE | re.DOTALL)


def note_image(path: str) -> None:
    """Leave a note of the image that this process is about to load. It takes half a microsecond.

    Args:
        path: Its file.
    """
    start = os.getpid() % NUM_SLOTS * SLOT_SIZE
    note = os.fsencode(f'{os.getpid()} {path}')[: SLOT_SIZE - 1] + b'\0'  # any name of a file
    _notes[start : start + len(note)] = note


def noted_image(pid: int) -> str | None:
    """The last image that a process began to load.

    Args:
        pid: Number of this process or of a worker that it forked, dead or alive.

    Returns:
        Its file; ``None`` if there is no note, as of a worker that was spawned.
    """
    start = pid % NUM_SLOTS * SLOT_SIZE
    note = _notes[start : start + SLOT_SIZE].partition(b'\0')[0].decode(errors='replace')
    number, _, path = note.partition(' ')
    return path if number == str(pid) else None


@contextmanager
def deaths_awaited() -> Iterator[None]:
    """Raise what PyTorch says of a dead worker where only a broken connection to it is felt.

    PyTorch hears of a death by a signal, whose handler raises an error wherever the program is;
    there are places where it is lost. Every second time or so the main process reads from the
    dying worker before that.

    Raises:
        RuntimeError: If it was a worker's death.
    """
    try:
        yield
    except (OSError, EOFError) as error:
        frames = [frame for frame, _ in walk_tb(error.__traceback__)]
        if any(frame.f_globals.get('__name__') == _LOADER for frame in frames):
            dead = _await_death()
            if dead is not None:
                raise RuntimeError(f'DataLoader worker (pid {dead}) exited unexpectedly') from error
        raise


def _await_death() -> int | None:
    """The number of a worker that has left a note and died, as soon as there is one."""
    starts = range(0, len(_notes), SLOT_SIZE)
    pids = [_notes[start : start + SLOT_SIZE].partition(b' ')[0] for start in starts]
    for _ in range(10 * SECONDS_TO_DIE):
        for pid in map(int, filter(bytes.isdigit, pids)):
            with suppress(ChildProcessError):  # no child, or PyTorch knows of its death
                status = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if status is not None and status.si_status != 0:
                    time.sleep(0.1)  # if PyTorch's handler is still to raise its error, then now
                    return pid
        time.sleep(0.1)
    return None


def worker_failure(error: Exception) -> str | None:
    """One line about a failure in a worker, from what PyTorch raises in the main process.

    Args:
        error: Any error.

    Returns:
        If a worker died: PyTorch's words and the image that it was at. If this package refused
        something in a worker: the message of that, without PyTorch's traceback in a message.
        Otherwise ``None``.
    """
    text = str(error)
    if died := _DIED.match(text):
        images = [noted_image(int(pid)) or 'an unknown image' for pid in died[1].split(',')]
        return (
            f'{text.strip().rstrip(".")}. It last began to load {", ".join(images)}. If that image '
            'is sound, the machine may be short of memory: lower `num_workers` of the data '
            'loader. A training can go on from its newest checkpoint with --resume.'
        )
    if not (isinstance(error, Refusal) and _RAISED.match(text)):
        return None
    last = list(_FRAME.finditer(text))[-1]
    return ' '.join(_ERROR.search(text, last.end())[1].split())
