"""Results as lines of JSON, each with its own hash."""

import json
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from mmvireid.errors import InvalidValueError
from mmvireid.storage import read_text, write_atomically

#: The key that holds a line's hash.
HASH = 'line_hash'


def sign(line: Mapping) -> dict:
    """A line with its hash.

    It is a seal against slips, not against fraud: anyone can make another.

    Args:
        line: Plain values by name.

    Example:
        >>> sign(dict(seed=0))
        {'seed': 0, 'line_hash': 'de7d7744ccd7'}
    """
    values = {key: value for key, value in line.items() if key != HASH}
    text = json.dumps(values, sort_keys=True, ensure_ascii=True)
    return values | {HASH: sha256(text.encode()).hexdigest()[:12]}


def read_lines(path: str | Path) -> list[dict]:
    """Read a file of results.

    Args:
        path: The file; one that is not there has no lines.

    Returns:
        The lines, in their order.

    Raises:
        ValueError: If a line is no JSON, or not as it was written; names it.
    """
    if not Path(path).exists():
        return []
    lines = []
    for number, text in enumerate(read_text(path).splitlines(), 1):
        if not text.strip():
            continue
        where = f'{path}, line {number}'
        try:
            line = dict(json.loads(text))
        except (ValueError, TypeError) as error:
            raise InvalidValueError(
                f'read_lines: {where} cannot be read, expected an object of JSON, as benchmark.py '
                'writes it. Delete the line to run its cell again.'
            ) from error
        expected = sign(line)[HASH]
        if line.get(HASH) != expected:
            raise InvalidValueError(
                f'read_lines: {where} ({line.get("name")}) has `{HASH}` {line.get(HASH)!r}, '
                f'expected {expected!r}: it was changed after the run. Restore it, or delete it to '
                'run its cell again.'
            )
        lines.append(line)
    return lines


def add_line(path: str | Path, line: Mapping) -> dict:
    """Append a line, with its hash; a crash leaves no half of one behind.

    Args:
        path: The file, made with its folder if need be.
        line: What to write.

    Returns:
        The line with its hash.
    """
    line = sign(line)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'ab') as file:
        file.write(f'{json.dumps(line)}\n'.encode())
        file.flush()
        os.fsync(file.fileno())
    return line


def merge_lines(path: str | Path, others: Iterable[str | Path]) -> int:
    """Add the lines of other files that a file does not have.

    Args:
        path: The file.
        others: Files of the same kind.

    Returns:
        How many were added.

    Raises:
        ValueError: If a line of any of them was changed; nothing is added then.
    """
    lines = read_lines(path)
    known = {line[HASH] for line in lines}
    new = []
    for line in (line for other in others for line in read_lines(other)):
        if line[HASH] not in known:
            known.add(line[HASH])
            new.append(line)
    text = ''.join(f'{json.dumps(line)}\n' for line in lines + new)
    if new:
        write_atomically(text.encode(), path)
    return len(new)
