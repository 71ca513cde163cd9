"""What users name images by, files, folders, arrays and tables, as rows for a pipeline."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mmvireid.datasets.reading.image_rows import check_values
from mmvireid.datasets.reading.image_tree import IMAGE_SUFFIXES
from mmvireid.datasets.reading.table import read_table
from mmvireid.errors import InvalidTypeError, InvalidValueError
from mmvireid.pictures import to_bgr
from mmvireid.structures import MODALITIES

#: Number of a person or camera that nobody has told.
UNKNOWN = -1
#: What a table may tell of an image.
_TOLD = ('modality', 'person_id', 'camera_id', 'room', 'time')

Source = str | Path | np.ndarray


def list_rows(
    inputs: Source | Sequence[Source],
    modality: str | None = None,
    camera_id: int = UNKNOWN,
    split: str | None = None,
) -> list[dict]:
    """One row per image, as the test pipeline takes it.

    - A file is named by its path as given, an array ``array/<number in the list>``.
    - A folder stands for all images in it and below, sorted, whose names end as those of images
      do; hidden files and folders are left out.
    - A table (``*.csv``) has a line per image and the columns ``path`` and ``modality``;
      ``person_id``, ``camera_id``, ``room`` and ``time`` where they are known, else nothing in
      their place.
    - Images of a folder or table that is the only input are named relative to it, others by the
      whole path.

    Args:
        inputs: One or several of these.
        modality: ``'visible'`` or ``'infrared'``, of all images that no table tells it of.
        camera_id: Of all images that no table tells it of.
        split: Whose lines of tables are taken; ``None`` for all.

    Returns:
        Rows with ``img_path`` or ``img``, ``name``, ``modality``, ``person_id`` and ``camera_id``
        (-1 if unknown), in the order of ``inputs``.

    Raises:
        FileNotFoundError: If a table does not exist.
        ValueError: If ``modality`` is unknown or missing, there is no image, or one comes twice.
        TypeError: If an input is of another kind.
    """
    if modality is not None and modality not in MODALITIES:
        raise InvalidValueError(
            f'list_rows: `modality` is {modality!r}, expected one of {MODALITIES}, or None where '
            'a table tells it.'
        )
    alone = isinstance(inputs, (str, Path, np.ndarray))
    sources = [inputs] if alone else list(inputs)
    alone = len(sources) == 1
    known = dict(modality=modality, person_id=UNKNOWN, camera_id=camera_id)
    rows = [
        known | row
        for index, source in enumerate(sources)
        for row in _expand(source, index, alone, split)
    ]
    if not rows:
        raise InvalidValueError('list_rows: `inputs` has no image, expected at least one.')
    check_values('list_rows', rows)
    return rows


def file_row(path: str | Path) -> dict:
    """The row of an image file, named by its path."""
    return dict(img_path=str(path), name=Path(path).as_posix())


def array_row(pixels: np.ndarray, index: int, where: str) -> dict:
    """The row of an array that ``to_bgr`` takes.

    Args:
        pixels: The image.
        index: Its number among the inputs, which names it.
        where: Who was given it, for the message.
    """
    return dict(img=to_bgr(pixels, where), img_path='', name=f'array/{index:06d}')


def _expand(source: Source, index: int, alone: bool, split: str | None) -> Iterator[dict]:
    if isinstance(source, np.ndarray):
        yield array_row(source, index, f'list_rows: `inputs[{index}]`')
    elif not isinstance(source, (str, Path)):
        raise InvalidTypeError(
            f'list_rows: `inputs[{index}]` is a {type(source).__name__}, expected a path of an '
            'image, a folder or a table, or an array.'
        )
    elif Path(source).is_dir():
        yield from _folder_rows(Path(source), alone)
    elif Path(source).suffix.lower() == '.csv':
        yield from _table_rows(Path(source), alone, split)
    else:
        yield file_row(source)


def _folder_rows(folder: Path, alone: bool) -> Iterator[dict]:
    for path in sorted(folder.rglob('*')):
        inner = path.relative_to(folder)
        hidden = any(part.startswith('.') for part in inner.parts)
        if path.suffix.lower() in IMAGE_SUFFIXES and not hidden and path.is_file():
            yield dict(img_path=str(path), name=(inner if alone else path).as_posix())


def _table_rows(table: Path, alone: bool, split: str | None) -> Iterator[dict]:
    folder, required = table.parent, ('path', 'modality', *(['split'] if split else []))
    for line in read_table(table, required):
        if split not in (None, line.get('split')):
            continue
        path = folder / line['path']
        told = {key: value for key, value in line.items() if key in _TOLD and value != ''}
        name = path.relative_to(folder) if alone else path
        yield told | dict(img_path=str(path), name=name.as_posix())
