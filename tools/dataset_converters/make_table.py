"""Write the table of a data set of one's own, for images that lie in folders.

Without --layout the folders are <split>/<modality>/<person>_<camera>_*.jpg, such as
train/infrared/0006_3_0001.jpg or test/visible/6_c2.png: train, val or test, then visible or
infrared. With --layout sysu they are those of SYSU-MM01, in which pictures are rendered, too.
"""

import argparse
import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.commands import CommandParser, steady_screen
from mmvireid.datasets import SYSUMM01, CSVReID, ImageTree
from mmvireid.datasets.reading.image_tree import brief_list
from mmvireid.datasets.reading.table import COLUMNS
from mmvireid.errors import InvalidValueError, MissingFileError, Refusal
from mmvireid.storage import new_file
from mmvireid.structures import MODALITIES

_FILE = re.compile(r'(\d+)_(?:c|cam)?(\d+)(?!\d)')
#: Splits of the table by those of SYSU-MM01: who is trained on, as in the field, and who tests.
_SYSU_SPLITS = dict(trainval='train', test='test')

Line = tuple[str, int, int, str, str]


def list_folders(root: str) -> Iterator[Line]:
    """Images of ``<split>/<modality>/<person>_<camera>_*`` below a folder.

    Yields:
        Values of ``COLUMNS``.

    Raises:
        ValueError: If a file's name has another form.
        FileNotFoundError: If there is no such folder at all.
    """
    tree = ImageTree(root)
    folders = [(split, kind) for split in CSVReID.splits for kind in MODALITIES]
    there = [(split, kind) for split, kind in folders if tree.has_folder(f'{split}/{kind}')]
    if not there:
        raise MissingFileError(
            f'make_table: {root} has none of the folders '
            f'{", ".join("/".join(folder) for folder in folders)}.'
        )
    names = [
        (name, split, kind) for split, kind in there for name in tree.images(f'{split}/{kind}')
    ]
    found = [_FILE.match(Path(name).stem) for name, _, _ in names]
    wrong = [name for (name, _, _), match in zip(names, found) if match is None]
    if wrong:
        raise InvalidValueError(
            f'make_table: {len(wrong)} names do not say whom they show: {brief_list(wrong)}, '
            'expected <person>_<camera>_*, such as 0006_3_0001.jpg.'
        )
    for (name, split, kind), match in zip(names, found):
        yield name, int(match[1]), int(match[2]), kind, split


def list_sysu(root: str) -> Iterator[Line]:
    """Images in the folders of SYSU-MM01; yields values of ``COLUMNS``."""
    for split, ours in _SYSU_SPLITS.items():
        data = SYSUMM01(root, split, lazy_init=True)
        for row in data.list_images(data.open_tree()):
            yield row['name'], row['person_id'], row['camera_id'], row['modality'], ours


LAYOUTS = dict(folders=list_folders, sysu=list_sysu)


def read_rooms(texts: Sequence[str]) -> dict[int, str]:
    """Rooms by camera, of texts such as ``3=lobby``.

    Raises:
        ValueError: If one has another form.
    """
    found = [re.fullmatch(r'(-?\d+)=(.+)', text) for text in texts]
    if not all(found):
        raise InvalidValueError(
            f'make_table: --rooms has {texts[found.index(None)]!r}, expected CAMERA=ROOM.'
        )
    return {int(match[1]): match[2] for match in found}


def write_table(path: Path, lines: Sequence[Line], rooms: dict[int, str]) -> None:
    """Write a table, sorted by path; with a column of rooms if some are known."""
    with new_file(path) as draft, draft.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow((*COLUMNS, *(['room'] if rooms else [])))
        for line in sorted(lines):
            writer.writerow((*line, *([rooms.get(line[2], '')] if rooms else [])))


def run(args: argparse.Namespace) -> None:
    path, rooms = Path(args.root, args.table), read_rooms(args.rooms)
    if not Path(args.root).is_dir():
        raise MissingFileError(f'make_table: {args.root} is no folder.')
    if path.name != args.table:
        raise InvalidValueError(
            f'make_table: --table is {args.table!r}, expected a name: the table lies in the folder '
            'of the images.'
        )
    if path.exists():
        raise InvalidValueError(
            f'make_table: {path} exists, and may hold what somebody has written: remove it, or '
            'choose another name (--table).'
        )
    lines = list(LAYOUTS[args.layout](args.root))
    write_table(path, lines, rooms)
    for split, kind in [(split, kind) for split in CSVReID.splits for kind in MODALITIES]:
        count = Counter(line[1] for line in lines if line[3:] == (kind, split))
        if count:
            print(f'{split:<6} {kind:<9} {count.total():>8,} images of {len(count):,} people')
    print(f'{path} lists {len(lines):,} images.')


def build_parser() -> CommandParser:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('root', help='folder of the images, the `data_root` of a config')
    parser.add_argument('--layout', choices=[*LAYOUTS], default='folders', help='%(default)s')
    parser.add_argument('--table', default='images.csv', help='its name in that folder')
    parser.add_argument(
        '--rooms',
        nargs='+',
        default=[],
        metavar='CAMERA=ROOM',
        help='rooms of cameras, which an evaluation can leave out, such as 2=lab 3=lab',
    )
    return parser


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser()
    args = parser.parse_args(argv)
    try:
        run(args)
    except (Refusal, OSError) as error:
        parser.refuse(error)


if __name__ == '__main__':
    main()
