"""Resized images, kept after their first use by whichever worker loads them first."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import print_log
from numpy.lib import format as npy_format

from mmvireid.errors import InvalidValueError

from .transforms import LoadReIDImage
from .transforms.loading import DECODING_VERSION

SHARED_MEMORY_FOLDER = Path('/dev/shm')


class ImageCache:
    """A table of resized uint8 images that the workers of a data set fill and share.

    One record per image: a flag and the pixels. The flag is set after the pixels are written;
    two workers that load the same image at once write the same bytes. Workers may be forked or
    spawned: what travels is the shared memory's handle, or the file's path.

    The memory of ``in_ram`` is H x W x 3 bytes per image and process group that loads data
    (a distributed run has one per process); ``on_disk`` costs pages that the system may drop at
    any time, and lives on: the next run starts with a full cache.

    Build one with :meth:`in_ram` or :meth:`on_disk`.

    Args:
        loader: Makes an image that is not there yet.
        store: Shared bytes of all records, or the path of the file that holds them.
    """

    def __init__(self, loader: LoadReIDImage, store: torch.Tensor | Path) -> None:
        self.loader = loader
        self.store = store
        self._records = None

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
        cls, loader: LoadReIDImage, root: str, names: Sequence[str], folder: Path
    ) -> 'ImageCache':
        """The cache of these files in a folder: an earlier run's if there is one, else empty.

        The file's name comes from the names, sizes and times of the images and from the loader's
        settings, so that a changed data set gets another file.

        Args:
            loader: Makes the images.
            root: Data root.
            names: Paths of the N images below the data root.
            folder: Where the file lies; made if needed.

        Raises:
            ValueError: If the folder cannot be written or its disk is too full.
        """
        path = folder / f'{_fingerprint(loader, root, names)}.npy'
        record = _record(loader)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if path.exists() and not _is_sound(path, record, len(names)):
                print_log(f'Image cache {path} is damaged and is made anew.', 'current')
                path.unlink()
            if not path.exists():
                _check_space(folder, len(names) * record.itemsize, 'set `cache_dir` elsewhere')
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
        record = self.records[slot]
        if not record['filled']:
            record['image'] = self.loader.load(path)
            record['filled'] = 1
        return record['image'].copy()

    @property
    def records(self) -> np.ndarray:
        """The table as this process sees it, shape (N,)."""
        if self._records is None:
            if isinstance(self.store, Path):
                self._records = npy_format.open_memmap(self.store, mode='r+')
            else:
                self._records = self.store.numpy().view(_record(self.loader))
        return self._records

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_records': None}

    def __deepcopy__(self, memo: dict) -> 'ImageCache':
        """A copy of a data set shares its cache."""
        return self


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


def _is_sound(path: Path, record: np.dtype, num_images: int) -> bool:
    try:
        records = npy_format.open_memmap(path, mode='r')
    except (ValueError, OSError, EOFError):
        return False
    return records.dtype == record and records.shape == (num_images,)


def _create(path: Path, record: np.dtype, num_images: int) -> None:
    """Makes an empty file, unless another process was faster."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        draft = Path(folder) / path.name
        npy_format.open_memmap(draft, mode='w+', dtype=record, shape=(num_images,))
        try:
            os.link(draft, path)
        except FileExistsError:
            print_log(f'Image cache {path} was made by another process.', 'current')


def _check_space(folder: Path, num_bytes: int, remedy: str) -> None:
    free = shutil.disk_usage(folder).free
    if num_bytes > free:
        raise InvalidValueError(
            f'ImageCache: the cache takes {num_bytes / 1e9:.2f} GB, but {folder} has '
            f'{free / 1e9:.2f} GB free. Set `cache=None` (or the other kind), or {remedy}.'
        )
