"""Make a file of weights that ships with the package of a checkpoint of ``configs/pretrain``.

``python tools/model_converters/ship_weights.py CHECKPOINT NAME --take PREFIX``

Weights whose names begin with ``--take`` are written without it, in half precision, as
``mmvireid/weights/NAME.pth``. The checksum is printed, and entered in ``SHA256SUMS`` beside the
file, which is what ``mmvireid://NAME`` is checked against.
"""

import argparse
import hashlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.commands import CommandParser, steady_screen
from mmvireid.engine.runner import clear_errors
from mmvireid.errors import InvalidValueError
from mmvireid.storage import load_weights, write_atomically
from mmvireid.storage.shipped_weights import FOLDER, SUMS, read_sums


def shipped_form(weights: dict[str, torch.Tensor], take: str, add: str) -> bytes:
    """The file: a state dict in half precision; whole numbers stay what they are.

    Raises:
        ValueError: If no name begins with ``take``, or a value is too large for half precision.
    """
    taken = {
        add + name.removeprefix(take): value.half() if value.is_floating_point() else value
        for name, value in weights.items()
        if name.startswith(take)
    }
    if not taken:
        raise InvalidValueError(
            f'ship_weights: `--take` is {take!r}, expected what names of weights begin with: '
            f'{", ".join(list(weights)[:3])}, ...'
        )
    lost = [name for name, value in taken.items() if not torch.isfinite(value).all()]
    if lost:
        raise InvalidValueError(
            f'ship_weights: {", ".join(lost[:3])} has values that half precision cannot hold, '
            'expected finite ones below 65,504.'
        )
    file = io.BytesIO()  # a file on the disk would have its own name inside, and in its checksum
    torch.save(taken, file)
    return file.getvalue()


def enter_sum(folder: Path, name: str, digest: str) -> None:
    """Note the checksum of a file of a folder."""
    sums = read_sums(folder) if (folder / SUMS).exists() else {}
    lines = [f'{value}  {key}\n' for key, value in sorted({**sums, name: digest}.items())]
    write_atomically(''.join(lines).encode(), folder / SUMS)


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint')
    parser.add_argument('name', help='of the file, and in mmvireid://NAME')
    parser.add_argument('--take', default='', metavar='PREFIX', help='what begins names to take')
    parser.add_argument('--add', default='', metavar='PREFIX', help='what to put in its place')
    parser.add_argument('--folder', type=Path, default=FOLDER, help='default: that of the package')
    args = parser.parse_args(argv)
    with clear_errors('ship_weights'):
        weights = load_weights(args.checkpoint, key='checkpoint')
        content = shipped_form(weights, args.take, args.add)
        path, digest = args.folder / f'{args.name}.pth', hashlib.sha256(content).hexdigest()
        write_atomically(content, path)
        enter_sum(args.folder, path.name, digest)
    print(f'{path}: {len(content) / 1e6:.2f} MB, SHA-256 {digest}')


if __name__ == '__main__':
    main()
