"""One training run at a time in a work dir."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmvireid.errors import RunStoppedError

LOCK = '.train.lock'
#: Where the launchers say which process of its job this is.
_RANKS = dict(pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_RANK')
#: What a file system answers that has no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


def process_rank(launcher: str) -> int:
    """Number of this process in its job, before the processes have met.

    Args:
        launcher: As of ``--launcher``.
    """
    return int(os.environ.get(_RANKS.get(launcher, ''), 0))


@contextmanager
def work_dir_lock(work_dir: str, launcher: str = 'none') -> Iterator[None]:
    """Keep a work dir for this process, the first one of a job, while a block runs.

    A lock of the operating system, which ends with the process however that ends, and which the
    processes that load data do not inherit. The file says whose it is. On a file system without
    locks that text alone counts, as long as the process that it names lives on this machine.

    Args:
        work_dir: The folder; it must exist.
        launcher: Who has started the processes of the job; only the first of them takes the lock.

    Raises:
        RuntimeError: If another run has it; names that process.
    """
    if process_rank(launcher) != 0:
        yield
        return
    path = Path(work_dir, LOCK)
    with open(path, 'a+') as file:  # closing any other file of this path would end the lock
        _take(file, work_dir)
        try:
            file.truncate(0)
            file.write(f'{os.getpid()} {socket.gethostname()} {_started(os.getpid())}\n')
            file.flush()
            yield
        finally:
            file.truncate(0)


def _take(file, work_dir: str) -> None:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except OSError as error:
        file.seek(0)
        pid, host, started = (*file.read().split(maxsplit=2), '', '', '')[:3]
        is_own = host == socket.gethostname()
        if error.errno in _NO_LOCKS:
            if not is_own or not pid.isdigit() or _started(int(pid)) != started.strip():
                return  # nobody, or nobody that can be asked
        elif error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
    owner = f'process {pid} on {"this machine" if is_own else host}' if pid else 'another process'
    raise RunStoppedError(
        f'work_dir_lock: `work_dir` is {work_dir!r}, in which {owner} is training. Wait until it '
        'ends, or choose another folder (--work-dir DIR).'
    )


def _started(pid: int) -> str | None:
    """When a process of this machine has started, in the kernel's words; ``None`` if it is gone.

    Without it a number that another process has got since would pass for the first one.
    """
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass
    except OSError:
        return None
    return 'unknown'  # of a system without /proc
