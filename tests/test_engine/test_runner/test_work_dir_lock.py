"""One run at a time in a work dir, whatever happens to the others."""

import errno
import fcntl
import inspect
import os
import signal
import subprocess
import sys

import pytest

from mmvireid.engine.runner import work_dir_lock
from mmvireid.engine.runner.work_dir_lock import LOCK

MODULE = inspect.getfile(work_dir_lock.__wrapped__)
HOLD = """
import os, sys, time
import runpy
work_dir_lock = runpy.run_path(sys.argv[2])['work_dir_lock']
with work_dir_lock(sys.argv[1]):
    child = os.fork()  # such as a process that loads data
    if child:
        print(child, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another run in the folder: its process and the number of its child."""
    process = subprocess.Popen(
        [sys.executable, '-c', HOLD, str(tmp_path), MODULE], stdout=subprocess.PIPE, text=True
    )
    child = int(process.stdout.readline())
    yield process
    process.kill()
    process.wait()
    os.kill(child, signal.SIGKILL)


def test_a_second_run_is_refused_until_the_first_one_is_dead(other, tmp_path):
    with (
        pytest.raises(RuntimeError, match=f'process {other.pid} on this machine is training'),
        work_dir_lock(str(tmp_path)),
    ):
        pass
    assert other.poll() is None


def test_death_ends_it_at_once_though_children_live(other, tmp_path):
    other.kill()
    other.wait()
    with work_dir_lock(str(tmp_path)):
        assert (tmp_path / LOCK).read_text().split()[0] == str(os.getpid())
    assert (tmp_path / LOCK).read_text() == ''


@pytest.mark.parametrize(
    ('launcher', 'name'),
    [('pytorch', 'RANK'), ('slurm', 'SLURM_PROCID'), ('mpi', 'OMPI_COMM_WORLD_RANK')],
)
def test_the_other_processes_of_a_job_share_it(tmp_path, monkeypatch, launcher, name):
    monkeypatch.setenv(name, '1')
    with work_dir_lock(str(tmp_path), launcher):
        assert not (tmp_path / LOCK).exists()
    with work_dir_lock(str(tmp_path)):  # without the launcher the number says nothing
        assert (tmp_path / LOCK).exists()


@pytest.mark.parametrize('holder', ['alive', 'dead', 'reused number', 'elsewhere'])
def test_without_locks_of_the_file_system_the_text_counts(tmp_path, monkeypatch, holder):
    def lockf(*_):
        raise OSError(errno.ENOLCK, 'no locks')

    monkeypatch.setattr(fcntl, 'lockf', lockf)
    with work_dir_lock(str(tmp_path)):
        pid, host, started = (tmp_path / LOCK).read_text().split()
    if holder == 'dead':
        pid = '4194305'  # above the largest number
    if holder == 'reused number':
        started = '1'
    if holder == 'elsewhere':
        host = 'another-machine'
    (tmp_path / LOCK).write_text(f'{pid} {host} {started}\n')
    if holder == 'alive':
        with pytest.raises(RuntimeError, match=f'process {pid}'), work_dir_lock(str(tmp_path)):
            pass
    else:
        with work_dir_lock(str(tmp_path)):
            assert (tmp_path / LOCK).read_text().split()[0] == str(os.getpid())
