"""Resized images, kept after their first use by whichever worker loads them first."""

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from mmengine.logging import print_log
from numpy.lib import format as npy_format

from mmvireid.datasets.transforms import LoadReIDImage
from mmvireid.errors import InvalidValueError
from mmvireid.pictures import DECODING_VERSION

SHARED_MEMORY_FOLDER = Path('/dev/shm')


class ImageCache:
    """A table of resized uint8 images that the workers of a data set fill and share.

    One record per image: a flag and the pixels. The flag is set after the pixels are written;
    two workers that load the same image at once write the same bytes. Workers may be forked or
    spawned: what travels is the shared memory's handle, or the file's path.

    The memory of ``in_ram`` is H x W x 3 bytes per image and process group that loads data
    (a distributed run has one per process), taken at once; ``on_disk`` costs pages that the system
    may drop at any time, and lives on: the next run starts with a full cache. Its file is read and
    written, never mapped: on a disk that has become full, a mapped file ends the process without
    a word. Where it cannot be written any more, that is said once, and images are loaded anew.

    Build one with :meth:`in_ram` or :meth:`on_disk`.

    Args:
        loader: Makes an image that is not there yet.
        store: Shared bytes of all records, or the path of the file that holds them.
    """

    def __init__(self, loader: LoadReIDImage, store: torch.Tensor | Path) -> None:
        self.loader = loader
        self.store = store
        self._table = None
        #: Set when the store could not be written; shared by all processes.
        self.given_up = torch.zeros(1, dtype=torch.uint8).share_memory_()

    @classmethod
    def in_ram(cls, loader: LoadReIDImage, num_images: int) -> 'ImageCache':
        """An empty cache in shared memory, whose pages are taken as they are filled.

        Args:
            loader: Makes the images.
            num_images: N, how many it will hold.

        Raises:
            ValueError: If the system's shared memory is too small for it.
        """
        num_bytes = num_images * _record(loader).itemsize
        if SHARED_MEMORY_FOLDER.is_dir():
            _check_space(SHARED_MEMORY_FOLDER, num_bytes, 'give a container more --shm-size')
        storage = torch.UntypedStorage._new_shared(num_bytes)
        return cls(loader, torch.empty(0, dtype=torch.uint8).set_(storage))

    @classmethod
    def on_disk(
        cls,
        loader: LoadReIDImage,
        root: str,
        names: Sequence[str],
        folder: Path,
        spare: int = 0,
    ) -> 'ImageCache':
        """The cache of these files in a folder: an earlier run's if there is one, else empty.

        The file's name comes from the names, sizes and times of the images and from the loader's
        settings, so that a changed data set gets another file.

        Args:
            loader: Makes the images.
            root: Data root.
            names: Paths of the N images below the data root.
            folder: Where the file lies; made if needed.
            spare: How many times the size of a new file must be free besides it.

        Raises:
            ValueError: If the folder cannot be written or its disk is too full.
        """
        path = folder / f'{_fingerprint(loader, root, names)}.npy'
        record = _record(loader)
        num_bytes = len(names) * record.itemsize
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if path.exists() and not _is_sound(path, record, len(names)):
                print_log(f'Image cache {path} is damaged and is made anew.', 'current')
                path.unlink()
            if not path.exists():
                _check_space(folder, num_bytes, 'set `cache_dir` elsewhere', spare)
                _create(path, record, len(names))
        except OSError as error:
            raise InvalidValueError(
                f'ImageCache: `cache_dir` is {str(folder)!r}, expected a folder that can be '
                f'written ({error}).'
            ) from error
        return cls(loader, path)

    def read(self, slot: int, path: str) -> np.ndarray:
        """The resized image, from the table if it is there.

        Args:
            slot: Record of the image, in [0, N).
            path: Its file, read if the record is empty.

        Returns:
            A copy of the image, uint8 BGR, shape (H, W, 3).
        """
        image = None
        try:
            image = self.table.get(slot)
        except OSError as error:
            self._give_up(error)
        if image is None:
            image = self.loader.load(path)
            self._keep(slot, image)
        return image

    def _keep(self, slot: int, image: np.ndarray) -> None:
        if not self.given_up:
            try:
                self.table.put(slot, image)
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Write no more, here and in all other processes, and say so once."""
        if not self.given_up:
            self.given_up[0] = 1
            print_log(
                f'Image cache {self.store} cannot be used ({error.strerror}): what it does not '
                'hold yet is loaded anew every time. Make room, or set `cache_dir` elsewhere.',
                'current',
                logging.WARNING,
            )

    @property
    def table(self) -> '_Memory | _File':
        """The records as this process reaches them."""
        if self._table is None:
            kind = _File if isinstance(self.store, Path) else _Memory
            self._table = kind(self.store, _record(self.loader))
        return self._table

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_table': None}

    def __deepcopy__(self, memo: dict) -> 'ImageCache':
        """A copy of a data set shares its cache."""
        return self


class _Memory:
    """Records in shared memory.

    Args:
        store: Their bytes.
        record: What one is.
    """

    def __init__(self, store: torch.Tensor, record: np.dtype) -> None:
        self.records = store.numpy().view(record)

    def get(self, slot: int) -> np.ndarray | None:
        """A copy of the image, ``None`` if it is not there yet."""
        record = self.records[slot]
        return record['image'].copy() if record['filled'] else None

    def put(self, slot: int, image: np.ndarray) -> None:
        """Keep an image."""
        self.records[slot]['image'] = image
        self.records[slot]['filled'] = 1


class _File:
    """Records in a file, one of NumPy's.

    Args:
        path: The file; one that can only be read will do, as long as nothing is put.
        record: What one is.
    """

    def __init__(self, path: Path, record: np.dtype) -> None:
        try:
            self.file = open(path, 'r+b', buffering=0)  # noqa: SIM115 - open as long as the cache
        except OSError:
            self.file = open(path, 'rb', buffering=0)  # noqa: SIM115
        self.begin = _read_header(self.file)[2]
        self.record = record
        self.is_filling = False

    def get(self, slot: int) -> np.ndarray | None:
        """A copy of the image, ``None`` if it is not there yet."""
        number, place = self.file.fileno(), self._place(slot)
        # in a first epoch one record after the other is empty, and pages are spared
        if self.is_filling and os.pread(number, 1, place) != b'\1':
            return None
        data = os.pread(number, self.record.itemsize, place)
        self.is_filling = len(data) < self.record.itemsize or not data[0]
        if self.is_filling:
            return None
        return np.frombuffer(data, self.record)[0]['image'].copy()

    def put(self, slot: int, image: np.ndarray) -> None:
        """Keep an image.

        Raises:
            OSError: If the file cannot be written.
        """
        place, data = self._place(slot) + 1, image.tobytes()
        while data:  # a disk that is almost full takes a part
            count = os.pwrite(self.file.fileno(), data, place)
            place, data = place + count, data[count:]
        os.pwrite(self.file.fileno(), b'\1', self._place(slot))

    def _place(self, slot: int) -> int:
        return self.begin + slot * self.record.itemsize


def _record(loader: LoadReIDImage) -> np.dtype:
    return np.dtype([('filled', 'u1'), ('image', 'u1', (*loader.size, 3))])


def _fingerprint(loader: LoadReIDImage, root: str, names: Sequence[str]) -> str:
    digest = hashlib.sha256(f'{loader!r} {DECODING_VERSION}'.encode())
    for name in names:
        try:
            status = os.stat(os.path.join(root, name))
        except OSError as error:
            raise InvalidValueError(f'ImageCache: cannot look at an image ({error}).') from error
        digest.update(f'{name}\0{status.st_size}\0{status.st_mtime_ns}\n'.encode())
    return digest.hexdigest()[:24]


def _read_header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype, int]:
    """Shape and type of an array file, and where its data begin."""
    npy_format.read_magic(file)
    shape, _, dtype = npy_format.read_array_header_1_0(file)
    return shape, dtype, file.tell()


def _is_sound(path: Path, record: np.dtype, num_images: int) -> bool:
    try:
        with open(path, 'rb') as file:
            shape, dtype, begin = _read_header(file)
    except (ValueError, OSError, EOFError):
        return False
    whole = begin + num_images * record.itemsize
    return dtype == record and shape == (num_images,) and path.stat().st_size == whole


def _create(path: Path, record: np.dtype, num_images: int) -> None:
    """Makes an empty file, unless another process was faster."""
    header = dict(descr=npy_format.dtype_to_descr(record), fortran_order=False, shape=(num_images,))
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        draft = Path(folder) / path.name
        with open(draft, 'wb') as file:
            npy_format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + num_images * record.itemsize)
        try:
            os.link(draft, path)
        except FileExistsError:
            print_log(f'Image cache {path} was made by another process.', 'current')
        except OSError:  # there are file systems without links
            os.replace(draft, path)


def _check_space(folder: Path, num_bytes: int, remedy: str, spare: int = 0) -> None:
    free = shutil.disk_usage(folder).free
    if (1 + spare) * num_bytes > free:
        rest = f' and is to leave {spare * num_bytes / 1e9:.2f} GB free' if spare else ''
        raise InvalidValueError(
            f'ImageCache: the cache takes {num_bytes / 1e9:.2f} GB{rest}, but {folder} has '
            f'{free / 1e9:.2f} GB free. Set `cache=None` (or the other kind), or {remedy}.'
        )
