"""What ends a run is for its main process to hear; a data worker is ended by that one."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import resource_tracker

from torch.utils.data import DataLoader

#: What a scheduler or a person ends a run with, and may send to each of its processes.
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def shield_workers(loader: DataLoader) -> None:
    """Let the workers of a loader, from their first moment, obey their main process alone.

    A worker that another one's SIGTERM ended would break the iteration that the run still wants
    to finish. One that ignored SIGTERM would never end, for Python ends what is left of a process'
    children by it, and waits. So workers ask who has sent it.

    Args:
        loader: Any loader; may have no workers at all.
    """
    loader.worker_init_fn = partial(_start_worker, initialize=loader.worker_init_fn)
    context = loader.multiprocessing_context or multiprocessing
    loader._get_iterator = _signals_held(context.get_start_method())(loader._get_iterator)


@contextmanager
def _signals_held(start_method: str) -> Iterator[None]:
    """Keep signals waiting; what is started meanwhile keeps them waiting until it has prepared."""
    if start_method != 'fork':
        resource_tracker.ensure_running()  # which lets them through when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker(worker_id: int, initialize: Callable[[int], None] | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    waiting = ()
    if hasattr(signal, 'sigwaitinfo'):  # elsewhere any SIGTERM ends a worker, as PyTorch has it
        waiting = {signal.SIGTERM}
        parent = multiprocessing.parent_process().pid
        signal.pthread_sigmask(signal.SIG_BLOCK, waiting)
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {*SIGNALS} - {*waiting})
    if initialize is not None:
        initialize(worker_id)


def _end_with(parent: int) -> None:
    """Wait for a SIGTERM from the main process, and end as PyTorch's workers do then."""
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
