"""Pictures in a gallery: added, and shown again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from mmvireid.apis.image_sources import UNKNOWN, Source, list_rows
from mmvireid.apis.inference import predict_rows
from mmvireid.apis.inferencer import ReIDInferencer, collect
from mmvireid.apis.selection import load_split
from mmvireid.errors import InvalidValueError
from mmvireid.evaluation import FeatureSet, fuse_flip
from mmvireid.pictures import decode_image
from mmvireid.search import Gallery, Match, file_digest
from mmvireid.search.records import is_text

#: Pictures that are extracted and added at a time: a killed ``add`` has lost no more.
PORTION = 256


@dataclass
class Added:
    """What became of the pictures that were to be added.

    Args:
        new: How many were added.
        there: How many were there already.
        unreadable: By path, why the others could not be read.
    """

    new: int = 0
    there: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)


def open_gallery(
    address: str, inferencer: ReIDInferencer, index: str = 'FLAT', timeout: float = 10
) -> Gallery:
    """A gallery for the features of a model, made if need be.

    Args:
        address: As :class:`~mmvireid.search.Gallery` takes it.
        inferencer: The model.
        index: As there.
        timeout: As there.

    Raises:
        ValueError: If there is one of another model.
    """
    name = Path(inferencer.source['config']).stem
    return Gallery(address, name, inferencer.source['checksum'], index, timeout)


def add_pictures(
    gallery: Gallery,
    inferencer: ReIDInferencer,
    inputs: Source | Sequence[Source],
    modality: str | None = None,
    camera_id: int = UNKNOWN,
    batch_size: int = 64,
    num_workers: int = 0,
    stop_at_unreadable: bool = False,
) -> Added:
    """Extract the features of pictures that a gallery has not yet, and add them.

    A picture's name is its whole path, links resolved. Its time is the table's, else that of the
    file's last change. What is killed or fails in between may be called again, and goes on.

    Args:
        gallery: From :func:`open_gallery`.
        inferencer: The same model.
        inputs: Files, folders and tables, as the inferencer takes them.
        modality: Of all pictures that no table tells it of.
        camera_id: Likewise.
        batch_size: Pictures per forward pass.
        num_workers: Processes that load pictures.
        stop_at_unreadable: Whether a picture that cannot be read ends the whole.

    Returns:
        How many were new, were there, and could not be read.

    Raises:
        ValueError: If an argument is not allowed, or a picture cannot be read and that ends it.
        RuntimeError: If the gallery cannot be written; what was added before stays.
    """
    rows = list_rows(inputs, modality, camera_id)
    if not all(row['img_path'] for row in rows):
        raise InvalidValueError(
            'add_pictures: `inputs` has arrays, expected files, folders and tables: a gallery '
            'shows its pictures.'
        )
    return add_rows(gallery, inferencer, rows, batch_size, num_workers, stop_at_unreadable)


def split_rows(inferencer: ReIDInferencer, split: str, modality: str | None = None) -> list[dict]:
    """The images of a data set's split, for :func:`add_rows`.

    Args:
        inferencer: A model, whose config names the data set.
        split: ``'test'`` or ``'train'``.
        modality: Only these, ``'visible'`` or ``'infrared'``; ``None`` for both.
    """
    dataset = load_split(inferencer.model.cfg, split)
    rows = [dataset.get_data_info(index) for index in range(len(dataset))]
    kept = ('img_path', 'name', 'modality', 'person_id', 'camera_id')
    return [{k: r[k] for k in kept} for r in rows if modality in (None, r['modality'])]


def add_rows(
    gallery: Gallery,
    inferencer: ReIDInferencer,
    rows: Sequence[dict],
    batch_size: int = 64,
    num_workers: int = 0,
    stop_at_unreadable: bool = False,
) -> Added:
    """As :func:`add_pictures`, of rows that say all that is known.

    Args:
        gallery: As there.
        inferencer: As there.
        rows: As ``list_rows`` or :func:`split_rows` gives them.
        batch_size: As there.
        num_workers: As there.
        stop_at_unreadable: As there.
    """
    rows, done = list(_by_path(map(_with_time, rows)).values()), Added()
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task('adding', total=len(rows))
        for start in range(0, len(rows), PORTION):
            portion = _with_digests(rows[start : start + PORTION], done.unreadable)
            held = gallery.holds([r['name'] for r in portion], [r['digest'] for r in portion])
            wanted = [row for row, there in zip(portion, held) if not there]
            done.there += len(portion) - len(wanted)
            if wanted:
                samples, failed = predict_rows(
                    inferencer.model, wanted, batch_size, num_workers, skip_unreadable=True
                )
                done.unreadable |= failed
                done.new += _add(gallery, wanted, samples)
            if done.unreadable and stop_at_unreadable:
                raise InvalidValueError(next(iter(done.unreadable.values())))
            progress.update(bar, completed=start + PORTION)
    if not done.new + done.there:
        raise InvalidValueError(
            f'add_pictures: none of the {len(rows)} pictures can be read; the first: '
            f'{next(iter(done.unreadable.values()))}'
        )
    return done


def query_features(
    inferencer: ReIDInferencer, inputs: Source | Sequence[Source], modality: str | None = None
) -> FeatureSet:
    """Features of pictures as galleries have them: mirror images added, named by whole paths.

    Args:
        inferencer: A model.
        inputs: Files, folders, tables or arrays, as it takes them.
        modality: Of all pictures that no table tells it of.

    Raises:
        ValueError: If an argument is not allowed, or a picture cannot be read.
    """
    rows = list(_by_path(list_rows(inputs, modality)).values())
    return _fused(collect(predict_rows(inferencer.model, rows, batch_size=64)[0]))


def read_picture(match: Match) -> np.ndarray | None:
    """A picture of a gallery, if its file is still the one that was added.

    Args:
        match: From a search.

    Returns:
        uint8 BGR, shape (h, w, 3); ``None`` where the file is gone, has other content, or is now a
        link to another one.
    """
    try:
        data = Path(match.name).read_bytes() if Path(match.name).is_file() else b''
        if not match.digest or file_digest(data) != match.digest:
            return None
        return decode_image(data)
    except (OSError, InvalidValueError):
        return None


def read_time(text: str) -> int:
    """Seconds since 1970 of a date, with or without a time of day, UTC unless it says otherwise.

    Raises:
        ValueError: If it is none.

    Example:
        >>> read_time('1970-01-02'), read_time('1970-01-01 01:00+01:00')
        (86400, 0)
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidValueError(
            f'read_time: `text` is {text!r}, expected a date such as 2026-01-31 or '
            '2026-01-31T23:59:59.'
        ) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def write_time(seconds: int) -> str:
    """A time as people read it, UTC; empty if it is unknown.

    Example:
        >>> write_time(86400), write_time(-1)
        ('1970-01-02 00:00:00', '')
    """
    return f'{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}' if seconds >= 0 else ''


def _with_time(row: dict) -> dict:
    """A row with the time that a table tells, read; ``None`` if it tells none."""
    try:
        return dict(row, time=read_time(row['time']) if row.get('time') else None)
    except InvalidValueError as error:
        raise InvalidValueError(f'add_pictures: {row["name"]}: {error}') from error


def _by_path(rows: Iterable[dict]) -> dict[str, dict]:
    """Every file once, by its whole path, which becomes its name; arrays by their own names."""
    named = {}
    for row in rows:
        path = row['img_path'] and Path(row['img_path']).resolve().as_posix()
        named[path or row['name']] = dict(row, name=path or row['name'], img_path=path)
    return named


def _with_digests(rows: Sequence[dict], unreadable: dict[str, str]) -> list[dict]:
    """Rows with digests and times; those whose file cannot be opened or named are noted."""
    found = []
    for row in rows:
        path = Path(row['img_path'])
        if not is_text(row['name']):
            unreadable[row['name']] = f'{row["name"]!r} is no text in UTF-8: rename the file.'
            continue
        try:
            time = int(path.stat().st_mtime) if row['time'] is None else row['time']
            found.append(dict(row, digest=file_digest(path.read_bytes()), time=time))
        except OSError as error:
            unreadable[row['name']] = f'{path} cannot be read ({error.strerror}).'
    return found


def _add(gallery: Gallery, rows: Sequence[dict], samples: Sequence) -> int:
    if not samples:
        return 0
    known = {row['name']: row for row in rows}
    features = _fused(collect(samples))
    told = [known[name] for name in features.names]
    return gallery.add(features, [row['time'] for row in told], [row['digest'] for row in told])


def _fused(features: FeatureSet) -> FeatureSet:
    return features if features.flip_features is None else fuse_flip(features)


def one_line(text: str) -> str:
    r"""Text of which nothing moves a terminal: names of files may have any signs.

    Example:
        >>> one_line('é\n.jpg')
        'é\\n.jpg'
    """
    return ''.join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def describe_unreadable(unreadable: dict[str, str], most: int = 10) -> Iterator[str]:
    """Lines about pictures that cannot be read, the first few by their reasons."""
    for reason in list(unreadable.values())[:most]:
        yield f'left out: {one_line(reason)}'
    if len(unreadable) > most:
        yield f'left out: {len(unreadable) - most} more'
