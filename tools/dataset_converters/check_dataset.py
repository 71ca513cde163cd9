"""Tell whether a download of SYSU-MM01, RegDB or LLCM, or a table of one's own, is right."""

import argparse
import hashlib
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import positive
from mmvireid.commands import CommandParser, steady_screen
from mmvireid.datasets import LLCM, SYSUMM01, BaseReIDDataset, CSVReID, ImageTree, RegDB
from mmvireid.datasets.reading.image_rows import ROW_KEYS, check_rows, unpaired_ids
from mmvireid.datasets.reading.image_tree import brief_list
from mmvireid.errors import Refusal
from mmvireid.pictures import read_image
from mmvireid.structures import INFRARED, VISIBLE

#: A 16-bit image of which 8 bits leave fewer grey levels than this has lost its content.
MIN_LEVELS = 16

DATASETS = {'sysu': SYSUMM01, 'regdb': RegDB, 'llcm': LLCM, 'csv': CSVReID}

#: What the authors published: identities, visible and infrared images of each split.
PUBLISHED_COUNTS = {
    'sysu': {
        'train': (296, 20284, 9929),
        'val': (99, 1974, 1980),
        'trainval': (395, 22258, 11909),
        'test': (96, 6775, 3803),
    },
    'regdb': {'train': (206, 2060, 2060), 'test': (206, 2060, 2060)},
    'llcm': {'train': (713, 16946, 13975), 'test': (351, 8680, 7166)},
}
#: The same for single cameras, where it is known.
PUBLISHED_CAMERAS = {
    'sysu': {
        'train': {1: 4721, 2: 5753, 3: 5929, 4: 4821, 5: 4989, 6: 4000},
        'test': {1: 1374, 2: 1565, 3: 1883, 4: 1918, 5: 1918, 6: 1920},
    },
}


class Report:
    """Prints what is found and remembers the problems.

    Args:
        dataset: Key of ``DATASETS``.
        published: Compare with the published counts.
    """

    def __init__(self, dataset: str, published: bool) -> None:
        self.dataset = dataset
        self.published = published
        self.problems: list[str] = []

    def add_problem(self, problem: Exception | str) -> None:
        """Remembers a problem, once."""
        if str(problem) not in self.problems:
            self.problems.append(str(problem))

    def add_split(self, data: BaseReIDDataset, rows: Sequence[dict]) -> None:
        """Prints a split's counts and checks them.

        Args:
            data: Data set that lists the split.
            rows: Its rows.
        """
        trial = getattr(data, 'trial', None)
        label = data.split if trial is None else f'{data.split} {trial}'
        modalities = Counter(row['modality'] for row in rows)
        ids = {row['person_id'] for row in rows}
        counts = (len(ids), modalities[VISIBLE], modalities[INFRARED])
        expected = PUBLISHED_COUNTS[self.dataset][data.split] if self.published else counts
        self._print_counts(label, counts, expected)
        if self.published:
            self._check_cameras(data.split, label, rows)
        if data.split in data.training_splits or isinstance(data, CSVReID):
            unpaired = unpaired_ids(rows)
            if unpaired:
                listed = [f'{person_id} ({only} only)' for person_id, only in unpaired.items()]
                self.add_problem(
                    f'{label}: identities with images of one modality: {brief_list(listed)}.'
                )

    def _print_counts(self, label: str, counts: tuple, expected: tuple) -> None:
        verdict = 'ok' if counts == expected else 'expected {:,} {:,} {:,}'.format(*expected)
        columns = ' '.join(f'{count:>9,}' for count in counts)
        print(f'{label:<10} {columns}   {verdict if self.published else ""}'.rstrip())
        if counts != expected:
            self.add_problem(
                '{}: {:,} identities, {:,} visible and {:,} infrared images; '
                'published are {:,}, {:,} and {:,}.'.format(label, *counts, *expected)
            )

    def _check_cameras(self, split: str, label: str, rows: Sequence[dict]) -> None:
        cameras = Counter(row['camera_id'] for row in rows)
        for camera_id, expected in PUBLISHED_CAMERAS.get(self.dataset, {}).get(split, {}).items():
            if cameras[camera_id] != expected:
                self.add_problem(
                    f'{label}: camera {camera_id} has {cameras[camera_id]:,} images; '
                    f'published are {expected:,}.'
                )

    def print_cameras(self, label: str, rows: Sequence[dict]) -> None:
        """Prints the number of images of each camera and modality."""
        counts = Counter((row['camera_id'], row['modality']) for row in rows)
        parts = [f'{camera} {modality} {n:,}' for (camera, modality), n in sorted(counts.items())]
        print(f'  cameras of {label}: {"; ".join(parts)}')


def data_sets(dataset: str, root: str, trials: Iterable[int], table: str) -> list[BaseReIDDataset]:
    """Every split of a data set (of each trial), with nothing read yet."""
    kind = DATASETS[dataset]
    options = [{'table': table}] if kind is CSVReID else [{}]
    if kind is RegDB:
        options = [{'trial': trial} for trial in trials]
    return [
        kind(root, split, lazy_init=True, **option) for option in options for split in kind.splits
    ]


def keep_sound(
    data: CSVReID, tree: ImageTree, rows: Sequence[dict], report: Report
) -> Sequence[dict]:
    """Rows of a table with right values whose images exist; what else there is are problems."""
    right = [row for row in rows if all(fits(row[key]) for key, (fits, _) in ROW_KEYS.items())]
    single = [*{row['name']: row for row in right}.values()]
    for part in (rows, right, single):  # each check stops at the first kind of problem
        try:
            check_rows(type(data).__name__, tree, part, data.mixed_cameras)
        except Refusal as problem:
            report.add_problem(problem)
    return [row for row in single if tree.has_image(row['name'])]


def check_listing(data: Sequence[BaseReIDDataset], report: Report) -> dict[str, int]:
    """Reads folders, index files and tables, prints the counts.

    Args:
        data: The splits.
        report: Gets the problems.

    Returns:
        Identity of every image by its name.
    """
    print(f'{"split":<10} {"ids":>9} {"visible":>9} {"infrared":>9}')
    names, people = {}, {}
    for part in data:
        tree = part.open_tree(report.add_problem)
        rows = part.list_images(tree)
        if isinstance(part, CSVReID):
            rows = keep_sound(part, tree, rows, report)
            if not rows:  # a table need not have all splits
                continue
        people |= {row['name']: row['person_id'] for row in rows}
        report.add_split(part, rows)
        report.print_cameras(part.split, rows)
        names[part.split, getattr(part, 'trial', None)] = {row['name'] for row in rows}
    for (split, trial), images in names.items():
        shared = images & names.get(('test', trial), set()) if split != 'test' else None
        if shared:
            report.add_problem(
                f'{len(shared)} images of {split} are in test too: {brief_list(sorted(shared))}.'
            )
    if not people:
        report.add_problem('There is no image.')
    return people


def find_copies(root: str, people: dict[str, int]) -> list[list[str]]:
    """Images that are the same, byte for byte, and show two people.

    Args:
        root: Data root.
        people: Identity of every image by its name.

    Returns:
        Their names, sorted, a list for every such picture.
    """
    by_content = defaultdict(list)
    for name in sorted(people):
        with suppress(OSError):  # found when it is decoded
            data = Path(root, name).read_bytes()
            by_content[hashlib.sha256(data).digest() if data else name].append(name)
    return [names for names in by_content.values() if len({people[n] for n in names}) > 1]


def fault_of(path: str) -> str | None:
    """What is wrong with an image, ``None`` if nothing is."""
    try:
        image = read_image(path, backend='pillow')
    except ValueError as error:
        return str(error)
    with Image.open(path) as header:
        deep = header.mode.startswith('I')
    levels = int(np.ptp(image)) + 1
    if deep and levels < MIN_LEVELS:
        return (
            f'{path} has 16 bits, of whose range it fills so little that {levels} of 256 grey '
            'levels are left. Stretch all images of that camera alike, from its own range to '
            '0 ... 65535.'
        )
    return None


def check_images(paths: Sequence[str], report: Callable[[str], None], workers: int) -> None:
    """Decodes every image.

    Args:
        paths: Image files.
        report: Called with a message per file with a fault.
        workers: Number of threads.
    """
    with ThreadPoolExecutor(workers) as pool:
        errors = pool.map(fault_of, paths)
        for error in track(errors, description='decoding images', total=len(paths)):
            if error is not None:
                report(error)


def parse_arguments(
    argv: Sequence[str] | None,
) -> tuple[CommandParser, argparse.Namespace]:
    parser = CommandParser(
        description=__doc__,
        epilog='The exit code is 0 if everything is there and right, 1 if not.',
    )
    parser.add_argument('dataset', choices=[*DATASETS])
    parser.add_argument('root', help='the data root: the folder that a config calls `data_root`')
    parser.add_argument('--trial', type=int, help='RegDB: check this trial only, not all ten')
    parser.add_argument('--no-decode', action='store_true', help='do not open the images')
    parser.add_argument(
        '--counts',
        choices=['published', 'any'],
        default='published',
        help="'any' for a subset or a rendered tree: check consistency, not the numbers",
    )
    parser.add_argument('--table', default='images.csv', help="csv: the table's name (%(default)s)")
    parser.add_argument('--workers', type=positive, default=os.cpu_count(), help='decoding threads')
    return parser, parser.parse_args(argv)


@steady_screen()
def main(argv: Sequence[str] | None = None) -> int:
    """Checks a data set; returns the exit code."""
    parser, args = parse_arguments(argv)
    if args.trial is not None and args.dataset != 'regdb':
        parser.error(f'--trial is for regdb, not for {args.dataset}.')
    published = args.counts == 'published' and args.dataset in PUBLISHED_COUNTS
    report = Report(args.dataset, published)
    try:
        trials = RegDB.trials if args.trial is None else [args.trial]
        data = data_sets(args.dataset, args.root, trials, args.table)
        print(f'{data[0].title} in {args.root}')
        people = check_listing(data, report)
    except Refusal as error:
        parser.refuse(error)
    if not args.no_decode:
        paths = [os.path.join(args.root, name) for name in sorted(people)]
        check_images(paths, report.add_problem, args.workers)
        if args.dataset == 'csv':
            for copies in find_copies(args.root, people):
                shown = [f'{name} (person {people[name]})' for name in copies]
                report.add_problem(f'The same picture shows several people: {brief_list(shown)}.')
    if report.problems:
        print(f'\n{len(report.problems)} problems:')
        print('\n'.join(f'- {problem}' for problem in report.problems))
        return 1
    print('\nComplete and right.' if not args.no_decode else '\nComplete (images not opened).')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
