"""Weights that come with the package."""

import hashlib
from pathlib import Path

from mmvireid.errors import InvalidValueError, MissingFileError

from .text import read_text

#: What addresses of shipped weights begin with: ``mmvireid://resnet18_rendered``.
SHIPPED = 'mmvireid://'
FOLDER = Path(__file__).parents[1] / 'weights'
#: Their checksums, in the folder, as ``sha256sum -c`` reads them.
SUMS = 'SHA256SUMS'
_REMEDY = 'Install the package again, or make the file again: see configs/pretrain/README.md.'


def read_sums(folder: Path = FOLDER) -> dict[str, str]:
    """SHA-256 of every file of a folder of weights, by the file's name.

    Raises:
        FileNotFoundError: If the folder has no list of checksums.
        ValueError: If a line of it is none of a file.
    """
    sums = {}
    for number, line in enumerate(read_text(folder / SUMS).splitlines(), 1):
        if len(words := line.split()) != 2:
            raise InvalidValueError(
                f'read_sums: line {number} of {folder / SUMS} is {line!r}, expected a checksum '
                f'and the name of a file. {_REMEDY}'
            )
        sums[words[1]] = words[0]
    return sums


def shipped_file(address: str) -> Path:
    """The file of shipped weights, whose every byte is what it was.

    Args:
        address: Such as ``mmvireid://resnet18_rendered``.

    Raises:
        ValueError: If no such weights are shipped, or the file is damaged.
        FileNotFoundError: If it is missing.
    """
    sums, path = read_sums(FOLDER), FOLDER / f'{address.removeprefix(SHIPPED)}.pth'
    if path.name not in sums:
        known = ', '.join(f"'{SHIPPED}{Path(name).stem}'" for name in sorted(sums))
        raise InvalidValueError(
            f'shipped_file: {address!r} names no weights of this package, expected one of {known}.'
        )
    if not path.is_file():
        raise MissingFileError(f'shipped_file: {path} of {address!r} is missing. {_REMEDY}')
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sums[path.name]:
        raise InvalidValueError(
            f'shipped_file: {path} of {address!r} is damaged: its SHA-256 is {found}, expected '
            f'{sums[path.name]}. {_REMEDY}'
        )
    return path
