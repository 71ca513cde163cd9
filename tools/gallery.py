"""Pictures of people to search: add them to a gallery, search, ask what it holds, remove them.

python tools/gallery.py add gallery.db CONFIG CHECKPOINT crops/ --modality visible --camera 1
python tools/gallery.py search gallery.db CONFIG CHECKPOINT night.jpg --modality infrared
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's package

from mmvireid.apis import ReIDInferencer, picture_path, positive, write_picture
from mmvireid.apis.galleries import (
    add_pictures,
    add_rows,
    describe_unreadable,
    one_line,
    open_gallery,
    query_features,
    read_picture,
    read_time,
    split_rows,
    write_time,
)
from mmvireid.commands import CommandParser, add_options_argument, steady_screen
from mmvireid.engine.runner import clear_errors
from mmvireid.errors import InvalidValueError
from mmvireid.evaluation import FeatureSet, align_rows
from mmvireid.pictures import read_image
from mmvireid.search import Gallery, Match
from mmvireid.search.gallery import INDEXES
from mmvireid.search.records import UNKNOWN
from mmvireid.storage import check_output
from mmvireid.structures import MODALITIES
from mmvireid.visualization import RankedList, draw_ranked_lists

_ADDRESS = 'NAME.db, or http://host:19530 of a Milvus cluster'


def add(args: argparse.Namespace) -> None:
    if (args.split is None) == (not args.pictures):
        raise InvalidValueError('gallery: expected either pictures to add, or --split.')
    inferencer = open_inferencer(args)
    with open_gallery(args.gallery, inferencer, args.index, args.timeout) as gallery:
        options = args.batch_size, args.workers, args.on_unreadable == 'stop'
        if args.split is None:
            inputs = args.pictures, args.modality, args.camera
            done = add_pictures(gallery, inferencer, *inputs, *options)
        else:
            rows = split_rows(inferencer, args.split, args.modality)
            done = add_rows(gallery, inferencer, rows, *options)
        total = len(gallery)
    for line in describe_unreadable(done.unreadable):
        print(line, file=sys.stderr)
    print(
        f'{done.new} pictures added, {done.there} were there, {len(done.unreadable)} cannot be '
        f'read; {args.gallery} has {total}.'
    )


def search(args: argparse.Namespace) -> None:
    if args.out:
        check_output(args.out)
    inferencer = open_inferencer(args)
    with Gallery(args.gallery, timeout=args.timeout) as gallery:
        check_model(gallery, inferencer)
        queries = query_features(inferencer, args.pictures, args.modality)
        found = gallery.search(
            queries.features, args.k, args.min_similarity, args.cameras, args.modalities,
            args.after, args.before,
        )  # fmt: skip
    if args.json:
        print(json.dumps({str(q): [*map(asdict, row)] for q, row in zip(queries.names, found)},
                         indent=1, ensure_ascii=False))  # fmt: skip
    else:
        for name, matches in zip(queries.names, found):
            print(f'{one_line(name)}\n{table(matches)}\n')
    if args.out:
        lists = [ranked_list(queries, row, found[row]) for row in range(len(found))]
        write_picture(args.out, draw_ranked_lists(lists, 'query at the left, best matches beside'))
        print(f'picture in {args.out}', file=sys.stderr)


def info(args: argparse.Namespace) -> None:
    with Gallery(args.gallery, timeout=args.timeout) as gallery:
        told = gallery.info()
    if args.json:
        print(json.dumps(told, indent=1))
        return
    for key, value in told.items():
        if key == 'cameras':
            for modality, counts in value.items():
                cameras = ', '.join(f'{camera}: {number}' for camera, number in counts.items())
                print(f'{modality + " by camera":<22}{cameras or "none"}')
        else:
            print(f'{key.replace("_", " "):<22}{value}')


def remove(args: argparse.Namespace) -> None:
    with Gallery(args.gallery, timeout=args.timeout) as gallery:
        names = {Path(name).resolve().as_posix() for name in args.pictures}
        removed = gallery.remove(sorted(names))
        print(f'{removed} of {len(names)} pictures removed; {args.gallery} has {len(gallery)}.')


def open_inferencer(args: argparse.Namespace) -> ReIDInferencer:
    return ReIDInferencer(args.config, args.checkpoint, cfg_options=args.cfg_options)


def check_model(gallery: Gallery, inferencer: ReIDInferencer) -> None:
    """Refuse to search a gallery of one model with features of another."""
    if gallery.checksum != inferencer.source['checksum']:
        raise InvalidValueError(
            f'gallery: {gallery.address} has features of {gallery.model} '
            f'({gallery.checksum[:12]}), expected to be searched with the same model, not '
            f'{inferencer.source["config"]} ({inferencer.source["checksum"][:12]}).'
        )


def table(matches: Sequence[Match]) -> str:
    """Matches as a text table, their names at its right."""
    rows = [['rank', 'similarity', 'camera', 'modality', 'person', 'time (UTC)']]
    for rank, match in enumerate(matches, 1):
        numbers = ['' if n == UNKNOWN else str(n) for n in (match.camera_id, match.person_id)]
        time = write_time(match.time)
        rows.append([str(rank), f'{match.similarity:.4f}', numbers[0], match.modality,
                     numbers[1], time])  # fmt: skip
    head, rule, *lines = align_rows(rows).splitlines()
    named = [f'{line}  {one_line(match.name)}' for line, match in zip(lines, matches)]
    return '\n'.join([f'{head}  picture', f'{rule}---------', *named])


def ranked_list(queries: FeatureSet, row: int, matches: Sequence[Match]) -> RankedList:
    """A query with the pictures of its matches, grey where they are gone."""
    person = queries.person_ids[row]
    gone = np.full((160, 80, 3), 200, np.uint8)
    pictures = [read_picture(match) for match in matches]
    known = [UNKNOWN not in (person, match.person_id) for match in matches]
    return RankedList(
        query=read_image(str(queries.names[row])),
        matches=[gone if picture is None else picture for picture in pictures],
        right=[bool(m.person_id == person) if k else None for m, k in zip(matches, known)],
        query_caption='query',
        match_captions=[f'{m.similarity:.2f} cam {m.camera_id}' for m in matches],
    )


def moment(text: str) -> int:
    try:
        return read_time(text)
    except InvalidValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(required=True, metavar='ACTION', parser_class=CommandParser)
    for action in (add, search, info, remove):
        sub = actions.add_parser(action.__name__, help=HELP[action.__name__])
        sub.set_defaults(action=action)
        sub.add_argument('gallery', help=_ADDRESS)
        sub.add_argument(
            '--timeout', type=float, default=10, help='seconds to wait for it (%(default)s)'
        )
        if action in (add, search):
            add_model_arguments(sub)
        if action is not info:
            what = 'files' if action is remove else 'files, folders, or tables (CSV)'
            sub.add_argument('pictures', nargs='*' if action is add else '+', help=what)
        if action in (search, info):
            sub.add_argument('--json', action='store_true', help='print JSON')
        {add: add_adding_arguments, search: add_search_arguments}.get(action, id)(sub)
    return parser


HELP = dict(
    add='add pictures; those that are there already stay as they are',
    search='find the pictures most like some others',
    info='what a gallery holds, and of which model',
    remove='remove pictures from a gallery; their files stay',
)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'config', help='config file, Python code that is run, or a name of the model index'
    )
    parser.add_argument('checkpoint', help='checkpoint file, read without running code in it')
    parser.add_argument(
        '--modality', choices=MODALITIES, help='of the pictures; tables tell it themselves'
    )
    add_options_argument(parser)


def add_adding_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--camera', type=int, default=UNKNOWN, help='which took the pictures')
    parser.add_argument(
        '--split', choices=['test', 'train'], help="add this split of the config's data set"
    )
    parser.add_argument('--index', choices=INDEXES, default='FLAT', help='of a new gallery')
    parser.add_argument('--batch-size', type=positive, default=64)
    parser.add_argument('--workers', type=int, default=0, help='processes that load pictures')
    parser.add_argument(
        '--on-unreadable', choices=['skip', 'stop'], default='skip', help='(%(default)s)'
    )


def add_search_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('-k', type=positive, default=10, help='matches per picture (%(default)s)')
    parser.add_argument('--min-similarity', type=float, default=-1, metavar='COSINE')
    parser.add_argument('--cameras', type=int, nargs='+', help='search only these')
    parser.add_argument('--modalities', nargs='+', choices=MODALITIES, help='search only these')
    parser.add_argument('--after', type=moment, metavar='TIME', help='UTC, such as 2026-01-31')
    parser.add_argument('--before', type=moment, metavar='TIME', help='likewise')
    parser.add_argument('--out', type=picture_path, help='draw the ranked lists')


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with clear_errors('gallery'):
        args.action(args)


if __name__ == '__main__':
    main()
