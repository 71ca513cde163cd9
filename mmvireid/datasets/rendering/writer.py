"""Writing a rendered data set to disk, all of it or nothing."""

import json
import os
import shutil
import signal
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
from rich.progress import track

from mmvireid.errors import InvalidValueError, RunStoppedError
from mmvireid.storage import read_text

from .factors import write_factors
from .layouts import LAYOUTS, SIZES, Layout, Shot
from .person import INDEPENDENT, TONES
from .picture import render_jpeg

#: Raised whenever the same seed gives other pictures or other index files than before.
VERSION = 1
#: What is known about every picture, for people and programs that want to look behind them.
FACTORS = 'factors.csv'
#: Written last: a folder that has it is complete.
MARKER = 'rendered.json'
#: What a marker says that was written before there was a choice.
_OLDER = {'counterparts': False, 'tones': INDEPENDENT}
#: A half-made folder that nobody has touched for this long was left behind by a killed run.
STALE_SECONDS = 3600


def ensure_rendered(
    root: str | os.PathLike,
    size: str = 'small',
    layout: str = 'sysu',
    seed: int = 0,
    workers: int | None = None,
    counterparts: bool = False,
    tones: str = INDEPENDENT,
) -> None:
    """Render the data set into a folder, unless it is there already.

    Beside the pictures and the index files lies the table :data:`FACTORS`, with a row of
    :class:`.factors.Factors` per picture.

    The pictures are made in a folder beside ``root`` that is renamed at the end. So a killed run
    leaves no half data set behind, and of two runs at the same time the later one keeps what the
    earlier one made. Pictures depend on ``seed``, ``tones``, identity, camera and number only: they
    are the same bytes whatever the layout's size or the number of workers (on one machine; another
    OpenCV may round differently).

    Args:
        root: Folder of the data set; made if missing, never overwritten.
        size: ``'tiny'`` (tests), ``'small'`` (the demo), ``'benchmark'`` (the project's own table)
            or ``'full'`` (the counts of the real data set).
        layout: Whose folders and index files: ``'sysu'``, ``'regdb'`` or ``'llcm'``.
        seed: Not negative. Another seed gives other people.
        workers: Processes that render, at least 1; ``None`` is one per CPU core.
        counterparts: Whether instead of every picture the same moment in the other modality is
            rendered, taken by :meth:`.layouts.Layout.counterpart`, under the same name. There are
            no index files then, and so no data set class can take the folder for a data set.
        tones: ``'independent'`` or ``'related'``, see :func:`.person.make_person`.

    Raises:
        ValueError: If an argument is not allowed, or if ``root`` holds anything else than exactly
            this data set, complete.
        RuntimeError: If one of the processes is killed.
    """
    _check_arguments(size, layout, seed, workers, tones)
    root = Path(root).absolute()
    wanted = {'layout': layout, 'size': size, 'seed': seed, 'version': VERSION}
    wanted |= {'counterparts': counterparts, 'tones': tones}
    if _holds(root, wanted):
        return
    _remove_stale(root)
    with _replaced_at_the_end(root, wanted) as folder:
        plan = LAYOUTS[layout](size, seed, tones)
        shots = plan.shots()
        description = f'Rendering {layout} ({size}, seed {seed})'
        if counterparts:
            shots = [replace(shot, sensor=plan.counterpart(shot.camera)) for shot in shots]
        _write_pictures(folder, plan, shots, workers or os.cpu_count() or 1, description)
        if not counterparts:
            plan.write_index(folder)
            write_factors(folder / FACTORS, seed, shots)
        marker = dict(wanted, num_images=len(shots), num_ids=len({s.person_id for s in shots}))
        (folder / MARKER).write_text(json.dumps(marker, indent=2) + '\n', 'utf-8')


def _check_arguments(size: str, layout: str, seed: int, workers: int | None, tones: str) -> None:
    for name, value, allowed in (
        ('size', size, SIZES), ('layout', layout, tuple(LAYOUTS)), ('tones', tones, TONES),
    ):  # fmt: skip
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
        marker = _OLDER | json.loads(read_text(root / MARKER))
        return {key: marker[key] for key in ('layout', 'size', 'seed', 'version', *_OLDER)}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def rendered_layout(root: str | os.PathLike) -> Layout | None:
    """What a folder was rendered from, ``None`` if it is no rendered data set.

    From this everything that the renderer knows about a picture follows, whenever the folder was
    made: :func:`.factors.picture_factors`, and the same moment in the other modality.

    Raises:
        ValueError: If another version of the renderer has made it, whose pictures are others.
    """
    found = _read_marker(Path(root))
    if found is None or found['counterparts']:
        return None
    if found['version'] != VERSION:
        raise InvalidValueError(
            f'rendered_layout: `root` is {str(root)!r}, of version {found["version"]} of the '
            f'rendered data, expected version {VERSION}. Render it again, into another folder.'
        )
    return LAYOUTS[found['layout']](found['size'], found['seed'], found['tones'])


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
    folder: Path, plan: Layout, shots: list[Shot], workers: int, description: str
) -> None:
    for parent in {(folder / shot.path).parent for shot in shots}:
        parent.mkdir(parents=True, exist_ok=True)
    write = partial(_write_picture, folder, plan.seed, plan.tones)
    if workers == 1:
        for shot in track(shots, description):
            write(shot)
        return
    try:
        with (
            ProcessPoolExecutor(workers, initializer=_start_worker) as pool,
            closing(pool.map(write, shots, chunksize=16)) as done,  # an error cancels the rest
        ):
            for _ in track(done, description, total=len(shots)):
                pass
    except BrokenProcessPool as error:
        raise RunStoppedError(
            'ensure_rendered: a process that rendered was killed, perhaps for memory. '
            'Nothing is left of it; fewer `workers` take less.'
        ) from error


def _start_worker() -> None:
    """One thread per process, for they fill the cores; they obey the process they work for.

    A handler that they have from it, such as that of a training, would make them deaf.
    """
    cv2.setNumThreads(0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _write_picture(folder: Path, seed: int, tones: str, shot: Shot) -> None:
    data = render_jpeg(seed, shot.person_id, shot.camera, shot.index, shot.sensor, tones)
    (folder / shot.path).write_bytes(data)
