"""A connection to Milvus: a file that this process opens, or a server.

Everything that a user can run into becomes one line: what Milvus raises, logs and prints besides
is kept off the screen.
"""

import fcntl
import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mmvireid.errors import InvalidValueError, MissingFileError, RunStoppedError, from_extra

#: Seconds between two looks at a file that another process has open.
_PAUSE = 0.1


class Complaints(logging.Handler):
    """Keeps what a library logs as a warning or worse, instead of printing it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines = deque(maxlen=100)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def is_server(address: str) -> bool:
    """Whether an address is a server's.

    Example:
        >>> is_server('http://host:19530'), is_server('gallery.db')
        (True, False)
    """
    return address.startswith(('http://', 'https://', 'tcp://', 'unix:'))


def connect(address: str, timeout: float, create: bool) -> tuple[object, Complaints]:
    """Open a client of Milvus.

    Args:
        address: A file, ``NAME.db``, or a server's ``http://host:19530``.
        timeout: Seconds to wait for a server that does not answer, or for another process that has
            the file open.
        create: Whether a file may be made.

    Returns:
        The client, a ``pymilvus.MilvusClient``, and what the library complains of.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If there is something else in its place.
        RuntimeError: If the extra is missing, nobody answers, or the file is damaged or in use.
    """
    os.environ.setdefault('GRPC_VERBOSITY', 'NONE')  # it would tell of data workers and pings
    with from_extra('Gallery', 'pymilvus milvus-lite', 'search'):
        import pymilvus

        if not is_server(address):
            import milvus_lite  # noqa: F401
    complaints = Complaints()
    for name in ('pymilvus', 'milvus_lite', 'grpc'):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [complaints], False
    if not is_server(address):
        _check_file(Path(address), create)
        _wait_for(Path(address), timeout)
        _check_lists(Path(address))
    try:
        with refusals(address):
            return pymilvus.MilvusClient(uri=address, timeout=timeout), complaints
    except BaseException:
        _release(address)
        raise


def disconnect(client: object, address: str) -> None:
    """Close a client; a file is closed with it, for the next process."""
    client.close()
    _release(address)


def _release(address: str) -> None:
    """End the engine that serves a file; one that is not running is none."""
    if not is_server(address):
        from milvus_lite.server_manager import server_manager_instance

        server_manager_instance.release_server(address)


@contextmanager
def refusals(address: str) -> Iterator[None]:
    """A block that talks to Milvus, whose errors become one line.

    Raises:
        RuntimeError: If Milvus raises anything; what is in the file or on the server stays.
    """
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as error:
        reason = ' '.join(str(getattr(error, 'message', '') or error).split()).rstrip('.')
        advice = (
            'Is the server running, and reachable from here?'
            if is_server(address)
            else 'Either the disk is full, or the file is damaged: make room, or restore it from '
            'a copy, or add the pictures to a new one.'
        )
        raise RunStoppedError(f'Gallery: {address} does not work: {reason[:300]}. {advice}') from (
            error
        )


def _check_file(path: Path, create: bool) -> None:
    """Milvus would make a folder of any name, and start in it whatever there is."""
    if path.suffix != '.db':
        raise InvalidValueError(
            f'Gallery: `address` is {str(path)!r}, expected a name that ends in .db, or a '
            "server's, such as http://localhost:19530."
        )
    if not path.exists():
        if not create:
            raise MissingFileError(
                f'Gallery: `address` is {str(path)!r}, which does not exist, expected a gallery '
                'that `add` has made.'
            )
        _make(path)
    elif not path.is_dir() or not (path / 'collections').is_dir():
        if path.is_dir() and not any(path.iterdir()):
            return
        raise InvalidValueError(
            f'Gallery: `address` is {str(path)!r}, which is no gallery of milvus-lite 3 or newer, '
            'or a damaged one: expected what `add` has made. It was left as it is.'
        )


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise InvalidValueError(
            f'Gallery: `address` is {str(path)!r}, which cannot be made ({error.strerror}).'
        ) from error


def _wait_for(path: Path, timeout: float) -> None:
    """Wait until no other process has the file open: Milvus would give up at once."""
    end = time.monotonic() + timeout
    while not _is_free(path / 'LOCK'):
        if time.monotonic() > end:
            raise RunStoppedError(
                f'Gallery: {path} is in use: another process, or another Gallery in this one, has '
                f'it open, and has not closed it for {timeout:g} s. Nothing was changed; try '
                'again when it is done. A server (http://...) takes several at once.'
            )
        time.sleep(_PAUSE)


def _check_lists(path: Path) -> None:
    """Refuse a file whose list of its parts is damaged, before anything is lost.

    Milvus would take the list before that one, and delete all parts that it does not name.
    """
    for folder in (path / 'collections').glob('*/'):
        try:
            json.loads((folder / 'manifest.json').read_text('utf-8'))
        except (OSError, ValueError) as error:
            if any(folder.rglob('*.parquet')):  # else nothing was in it yet
                raise RunStoppedError(
                    f'Gallery: {path} is damaged ({folder.name}/manifest.json cannot be read): it '
                    'was left as it is. Restore it from a copy, or add all pictures to a new one.'
                ) from error


def _is_free(lock: Path) -> bool:
    if not lock.exists():
        return True
    try:
        with lock.open('r+') as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise InvalidValueError(
            f'Gallery: {lock.parent} cannot be opened ({error.strerror}), expected a gallery that '
            'may be written to.'
        ) from error
    return True


def retry_if(function: Callable[[], None], done: Callable[[], bool]) -> None:
    """Do something that another process may have done meanwhile."""
    from pymilvus.exceptions import MilvusException

    with suppress(MilvusException):
        return function()
    if not done():
        function()
    return None
