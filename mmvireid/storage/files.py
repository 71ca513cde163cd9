"""Files that are there whole, or not at all."""

import errno
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mmengine.fileio import register_backend
from mmengine.fileio.backends import LocalBackend

from mmvireid.errors import InvalidValueError, RunStoppedError
from mmvireid.storage.file_kinds import foreign_kind

#: How a file system says that it does not know how to sync.
_UNSUPPORTED = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM}
#: How it says that there is no writing, whatever the program does.
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}


def write_atomically(data: bytes, path: str | Path) -> None:
    """Write a file that, whatever happens, holds either all of the data or what it held before.

    The data go to a temporary file beside it, are synced to the disk, and the file is renamed.

    Args:
        data: What to write.
        path: The file; its folder is made if need be.

    Raises:
        RuntimeError: If it cannot be written, as on a full disk. Nothing is left behind then.
    """
    path = Path(path)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, 'wb') as file:
            file.write(data)
            file.flush()
            _sync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunStoppedError(
            f'write_atomically: {path} ({len(data) / 2**20:.0f} MiB) cannot be written: '
            f'{error.strerror}. What was there before is untouched. Make room, and go on with '
            '--resume.'
        ) from error


def _sync(descriptor: int) -> None:
    """Sync a file, where the file system can: some network and FUSE file systems cannot."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


def _sync_folder(folder: Path) -> None:
    """Sync a folder's entries, so that a renamed file keeps its name after a power cut.

    More systems cannot do this than can sync files, and the file is in its place already: whatever
    goes wrong here is no reason to stop.
    """
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """A draft that takes a file's place once it is written; after an error nothing has changed.

    Args:
        path: The file; its folder is made if need be. A device or pipe is written directly.

    Yields:
        The draft's path, with the same suffix.

    Example:
        >>> with new_file('/tmp/mmvireid/result.txt') as draft:
        ...     size = draft.write_text('R1 26.10')
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        yield path
        return
    path = path.resolve()
    draft = _draft_of(path)
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def check_output(path: str | Path) -> Path:
    """Make sure that a file can be written, before the work whose result it is to hold.

    Its folder is made; a file that is there is not touched.

    Raises:
        ValueError: If not; names the path and the reason.
    """
    path = Path(path)
    reason = _why_unwritable(path)
    if reason is not None:
        raise InvalidValueError(
            f'check_output: `path` is {str(path)!r}, which cannot be written ({reason}), '
            'expected a new file, or one that may be overwritten, in a folder that may be '
            'written to.'
        )
    return path


def _why_unwritable(path: Path) -> str | None:
    try:
        if path.is_dir():
            return 'it is a folder'
        if path.exists() and not os.access(path, os.W_OK):
            return 'it may only be read'
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() or not path.exists():
            draft = _draft_of(path.resolve())
            draft.touch()
            draft.unlink()
    except (FileExistsError, NotADirectoryError):
        return f'{path.parent} is no folder'
    except OSError as error:
        return error.strerror
    return None


def probe_folder(folder: str | Path) -> None:
    """Make a folder, and see whether files can be written there.

    Raises:
        OSError: If not.
    """
    probe = Path(folder, f'.writable_{os.getpid()}')
    probe.parent.mkdir(parents=True, exist_ok=True)
    try:
        probe.write_bytes(bytes(4096))  # a full disk takes empty files
    finally:
        probe.unlink(missing_ok=True)


def _draft_of(path: Path) -> Path:
    return path.with_name(f'.{path.stem}.{os.getpid()}{path.suffix}')


def damage_of(path: str | Path) -> str | None:
    """What is wrong with a checkpoint file, ``None`` if it is whole.

    Every byte is compared with the checksums in the file; nothing in it is unpickled.

    Args:
        path: A file that torch has saved.
    """
    try:
        kind = foreign_kind(path)
        if kind is not None:
            return f'it is {kind}'
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except FileNotFoundError:
        return 'it does not exist'
    except (OSError, zipfile.BadZipFile) as error:
        return str(error)
    return None if broken is None else f'{broken} in it is damaged'


def disk_failure(error: BaseException, path: str | Path | None = None) -> str | None:
    """One line about a disk that takes no more, ``None`` for any other error.

    Args:
        error: Any error.
        path: What was written, if the error does not name it.
    """
    if not isinstance(error, OSError) or error.errno not in _UNWRITABLE:
        return None
    name = error.filename or path or 'a file'
    return f'{name} cannot be written: {error.strerror}. Make room, or write elsewhere.'


class AtomicBackend(LocalBackend):
    """MMEngine's local files, written by :func:`write_atomically`."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes."""
        write_atomically(obj, filepath)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write text."""
        write_atomically(obj.encode(encoding), filepath)


register_backend('atomic', AtomicBackend, force=True)
