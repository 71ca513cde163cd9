"""Tables of images: who is seen on which picture, by which camera."""

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path, PurePosixPath

from mmvireid.datasets.reading.image_tree import brief_list
from mmvireid.errors import InvalidValueError
from mmvireid.storage import read_text

#: Columns of a data set's table, and those that it may have besides.
COLUMNS = ('path', 'person_id', 'camera_id', 'modality', 'split')
OPTIONAL_COLUMNS = ('room', 'time')
_NUMBERS = ('person_id', 'camera_id')
#: Far more digits than anything that is numbered, and fewer than int64 has.
_WHOLE = re.compile('-?[0-9]{1,18}')


def read_table(path: str | Path, required: Sequence[str] = COLUMNS) -> list[dict]:
    """Read a CSV file with a line per image.

    Args:
        path: The file, UTF-8 or with a byte-order mark; its first line names the columns.
        required: Columns that must be there, of ``COLUMNS``; the others may be.

    Returns:
        A row per line, its values stripped: ``path`` with ``/``, whole numbers as such.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If columns are missing, unknown or named twice, a line has more or fewer values
            than columns or is too long, or a path leads out of the table's folder; names the
            lines.
    """
    lines = list(_lines(path))
    header = [name.strip() for name in lines[0][1]] if lines else []
    _check_header(path, header, required)
    rows, wrong, outside = [], [], []
    for number, values in lines[1:]:
        if not any(value.strip() for value in values):
            continue
        if len(values) != len(header):
            wrong.append(f'{number} ({len(values)} values)')
            continue
        row = {key: _read(key, value.strip()) for key, value in zip(header, values)}
        name = PurePosixPath(row['path'])
        if name.is_absolute() or '..' in name.parts or not name.parts or ':' in name.parts[0]:
            outside.append(f'{number} ({row["path"]!r})')
        rows.append(row | dict(path=name.as_posix()))
    if wrong:
        raise InvalidValueError(
            f'read_table: {path}, line {brief_list(wrong)}: expected {len(header)} values, as in '
            'the first line; a value with a comma in it stands in double quotes.'
        )
    if outside:
        raise InvalidValueError(
            f'read_table: {path}, line {brief_list(outside)}: expected paths of images below the '
            "table's folder, relative to it."
        )
    return rows


def _lines(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Values of every line and the number of it; a value in quotes may go over several."""
    reader = csv.reader(StringIO(read_text(path), newline=''), skipinitialspace=True)
    number = 1
    try:
        for values in reader:
            yield number, values
            number = reader.line_num + 1
    except csv.Error as error:
        raise InvalidValueError(
            f'read_table: {path}, line {number}: {error}, expected CSV: is a double quote open?'
        ) from error


def _check_header(path: str | Path, header: list[str], required: Sequence[str]) -> None:
    known = (*COLUMNS, *OPTIONAL_COLUMNS)
    missing = [name for name in required if name not in header]
    unknown = [name for name in header if name not in known]
    twice = sorted({name for name in header if header.count(name) > 1})
    for what, names in (('lacks', missing), ('also has', unknown), ('has twice', twice)):
        if names:
            raise InvalidValueError(
                f'read_table: {path} {what} the columns {brief_list(names)}, expected '
                f'{",".join(required)} in the first line, and no others than {",".join(known)}.'
            )


def _read(key: str, text: str) -> int | str:
    """A number where it should and can be one; the others are found where rows are checked."""
    if key == 'path':
        return text.replace('\\', '/')
    return int(text) if key in _NUMBERS and _WHOLE.fullmatch(text) else text
