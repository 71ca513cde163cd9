"""Workers end with their main process, at its word, and at no one else's."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import pytest
from torch.utils.data import DataLoader, Dataset

from mmvireid.datasets.loading.worker_signals import shield_workers


class Faulty(Dataset):
    """Fails at its third item."""

    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 50

    def __getitem__(self, index):
        if index == 2 and self.error is not None:
            raise self.error
        return index


def fail(error, persistent):
    """What a command does, in which a worker or the main process fails, until it ends."""
    loader = DataLoader(
        Faulty(error),
        num_workers=2,
        persistent_workers=persistent,
        multiprocessing_context='fork',
    )
    shield_workers(loader)
    try:
        for item in loader:
            if error is None and item == 2:
                raise OSError('of the main process')
    except Exception as found:
        raise SystemExit(3) from found  # whose traceback keeps the loader alive


@pytest.mark.parametrize('persistent', [False, True])
@pytest.mark.parametrize('error', [ValueError('refused'), ZeroDivisionError('a bug'), None])
def test_an_error_in_a_worker_or_beside_it_ends_the_process(error, persistent):
    process = get_context('fork').Process(target=fail, args=(error, persistent))
    process.start()
    process.join(30)
    code = process.exitcode
    process.kill()
    assert code == 3


class Pids(Dataset):
    """Which process loads; the first item takes a while."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        if index == 0:
            time.sleep(0.2)
        return os.getpid()


def started(method, on_start=None):
    loader = DataLoader(
        Pids(), num_workers=1, multiprocessing_context=method, worker_init_fn=on_start
    )
    shield_workers(loader)
    return iter(loader)


def send(number, pid):
    """From another process, as a terminal or a cluster does."""
    subprocess.run(['kill', f'-{number}', str(pid)], check=True)


def strike_at_start(_):
    """What arrives while a worker still prepares."""
    for number in (signal.SIGTERM, signal.SIGINT):
        send(number, os.getpid())


@pytest.mark.skipif(not hasattr(signal, 'sigwaitinfo'), reason='signals do not say who sent them')
@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_signals_of_others_leave_a_worker_at_work(method):
    loader = started(method, strike_at_start)
    (pid,) = {int(next(loader)) for _ in range(2)}
    send(signal.SIGTERM, pid)
    send(signal.SIGINT, pid)
    assert {int(item) for item in loader} == {pid}


#: Prints how many threads of a worker let SIGTERM through, those of libraries too.
MASKS = """
import signal, time
from pathlib import Path
from torch.utils.data import DataLoader
from mmvireid.datasets.loading.worker_signals import shield_workers

def look(_):
    time.sleep(0.3)  # until the shield waits
    texts = [path.read_text() for path in Path('/proc/self/task').glob('*/status')]
    masks = [int(text.split('SigBlk:')[1].split()[0], 16) for text in texts]
    print(sum(not mask >> (signal.SIGTERM - 1) & 1 for mask in masks), flush=True)

if __name__ == '__main__':
    context = dict(num_workers=1, multiprocessing_context='spawn')
    loader = DataLoader(range(2), worker_init_fn=look, **context)
    shield_workers(loader)
    list(loader)
"""


@pytest.mark.skipif(not os.path.exists('/proc/self/task'), reason='threads are not listed')
def test_the_first_spawned_worker_of_a_process_is_shielded_in_all_threads(tmp_path):
    """Python starts a process of its own before it, and lets signals through meanwhile."""
    script = tmp_path / 'masks.py'
    script.write_text(MASKS)
    paths = [str(Path(__file__).parents[3]), *sys.path]
    env = os.environ | dict(OMP_NUM_THREADS='4', PYTHONPATH=os.pathsep.join(paths))
    done = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True)
    assert done.stdout == '1\n', done.stderr  # the one that asks who has sent it


def test_its_main_process_ends_it_by_one_signal():
    loader = started('fork')
    next(loader)
    (worker,) = loader._workers
    worker.terminate()  # what Python does at the end of a process
    worker.join(5)
    assert worker.exitcode == 0


def strike_while_starting(queue):
    """A process that is struck while its worker begins; says what it has got and heard."""
    heard = []
    signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    start = get_context('fork').Process.start

    def strike(process):
        send(signal.SIGTERM, os.getpid())
        start(process)
        send(signal.SIGTERM, process.pid)

    get_context('fork').Process.start = strike
    count = len(list(started('fork')))
    queue.put((count, heard))


@pytest.mark.skipif(not hasattr(signal, 'sigwaitinfo'), reason='signals do not say who sent them')
def test_what_arrives_while_workers_start_waits_for_the_main_process():
    context = get_context('fork')
    queue = context.Queue()
    child = context.Process(target=strike_while_starting, args=(queue,))
    child.start()
    assert queue.get(timeout=30) == (8, [signal.SIGTERM])
    child.join()


def test_a_loader_without_workers_is_left_as_it_works():
    loader = DataLoader(Pids(), num_workers=0)
    shield_workers(loader)
    assert {int(item) for item in loader} == {os.getpid()}
