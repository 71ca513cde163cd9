"""Writing a rendered data set to disk, all of it or nothing."""

import json
import multiprocessing
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
from rich.progress import track

from mmvireid.errors import InvalidValueError
from mmvireid.storage import read_text

from .layouts import LAYOUTS, SIZES, Shot
from .picture import render_jpeg

#: Raised whenever the same seed gives other pictures or other files than before.
VERSION = 1
#: Written last: a folder that has it is complete.
MARKER = 'rendered.json'
#: A half-made folder that nobody has touched for this long was left behind by a killed run.
STALE_SECONDS = 3600


def ensure_rendered(
    root: str | os.PathLike,
    size: str = 'small',
    layout: str = 'sysu',
    seed: int = 0,
    workers: int | None = None,
) -> None:
    """Render the data set into a folder, unless it is there already.

    The pictures are made in a folder beside ``root`` that is renamed at the end. So a killed run
    leaves no half data set behind, and of two runs at the same time the later one keeps what the
    earlier one made. Pictures depend on ``seed``, identity, camera and number only: they are the
    same bytes whatever the layout's size or the number of workers (on one machine; another
    OpenCV may round differently).

    Args:
        root: Folder of the data set; made if missing, never overwritten.
        size: ``'tiny'`` (tests), ``'small'`` (the demo), ``'benchmark'`` (the project's own table)
            or ``'full'`` (the counts of the real data set).
        layout: Whose folders and index files: ``'sysu'``, ``'regdb'`` or ``'llcm'``.
        seed: Not negative. Another seed gives other people.
        workers: Processes that render, at least 1; ``None`` is one per CPU core.

    Raises:
        ValueError: If an argument is not allowed, or if ``root`` holds anything else than exactly
            this data set, complete.
    """
    _check_arguments(size, layout, seed, workers)
    root = Path(root).absolute()
    wanted = {'layout': layout, 'size': size, 'seed': seed, 'version': VERSION}
    if _holds(root, wanted):
        return
    _remove_stale(root)
    with _replaced_at_the_end(root, wanted) as folder:
        plan = LAYOUTS[layout](size, seed)
        shots = plan.shots()
        description = f'Rendering {layout} ({size}, seed {seed})'
        _write_pictures(folder, seed, shots, workers or os.cpu_count() or 1, description)
        plan.write_index(folder)
        marker = dict(wanted, num_images=len(shots), num_ids=len({s.person_id for s in shots}))
        (folder / MARKER).write_text(json.dumps(marker, indent=2) + '\n', 'utf-8')


def _check_arguments(size: str, layout: str, seed: int, workers: int | None) -> None:
    for name, value, allowed in (('size', size, SIZES), ('layout', layout, tuple(LAYOUTS))):
        if value not in allowed:
            raise InvalidValueError(
                f'ensure_rendered: `{name}` is {value!r}, expected one of {allowed}.'
            )
    if not isinstance(seed, int) or seed < 0:
        raise InvalidValueError(
            f'ensure_rendered: `seed` is {seed!r}, expected an integer of at least 0.'
        )
    if workers is not None and workers < 1:
        raise InvalidValueError(
            f'ensure_rendered: `workers` is {workers}, expected at least 1 or None.'
        )


def _holds(root: Path, wanted: dict) -> bool:
    """Whether ``root`` is exactly the wanted data set; false if there is nothing at all."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    found = _read_marker(root)
    if found == wanted:
        return True
    there = f'a rendered data set with {found}' if found else f'something without a {MARKER}'
    raise InvalidValueError(
        f'ensure_rendered: `root` is {str(root)!r} and holds {there}, expected an empty or missing '
        f'folder or a rendered data set with {wanted}. Name another folder, or delete this one if '
        'nothing in it is needed.'
    )


def _read_marker(root: Path) -> dict | None:
    """What a complete rendering says about itself; ``None`` if this is none."""
    try:
        marker = json.loads(read_text(root / MARKER))
        return {key: marker[key] for key in ('layout', 'size', 'seed', 'version')}
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def _replaced_at_the_end(root: Path, wanted: dict) -> Iterator[Path]:
    """A new folder beside ``root`` that takes its place if the block ends well."""
    folder = root.with_name(f'{_partial_prefix(root)}{uuid.uuid4().hex[:8]}')
    folder.mkdir(parents=True)
    try:
        yield folder
        if root.exists() and not _holds(root, wanted):
            root.rmdir()  # empty
        try:
            folder.rename(root)
        except OSError:
            # Another process was faster; the data set is the same.
            if not _holds(root, wanted):
                raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _partial_prefix(root: Path) -> str:
    return f'.{root.name}.partial-'


def _remove_stale(root: Path) -> None:
    for folder in root.parent.glob(f'{_partial_prefix(root)}*'):
        if time.time() - folder.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _write_pictures(
    folder: Path, seed: int, shots: list[Shot], workers: int, description: str
) -> None:
    for parent in {(folder / shot.path).parent for shot in shots}:
        parent.mkdir(parents=True, exist_ok=True)
    write = partial(_write_picture, folder, seed)
    if workers == 1:
        for shot in track(shots, description):
            write(shot)
        return
    # One thread per process: the processes already fill the cores.
    with multiprocessing.Pool(workers, cv2.setNumThreads, (0,)) as pool:
        done = pool.imap_unordered(write, shots, chunksize=16)
        for _ in track(done, description, total=len(shots)):
            pass


def _write_picture(folder: Path, seed: int, shot: Shot) -> None:
    (folder / shot.path).write_bytes(render_jpeg(seed, shot.person_id, shot.camera, shot.index))
