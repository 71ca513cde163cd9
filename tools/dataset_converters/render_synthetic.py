"""Render the synthetic data set in the folder layout of SYSU-MM01, RegDB or LLCM.

Beside the pictures lies factors.csv: person, camera, facing, walking phase, light, occlusion and
what else the renderer has drawn, a row per picture. A folder that was rendered before there was
such a table gets one, without being rendered again.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import picture_path, write_picture
from mmvireid.commands import CommandParser, steady_screen
from mmvireid.datasets.rendering import (
    FACTORS,
    LAYOUTS,
    SIZES,
    TONES,
    Layout,
    Shot,
    ensure_rendered,
    write_factors,
)
from mmvireid.errors import Refusal
from mmvireid.storage import check_output

#: Height and width of one picture of a contact sheet.
TILE = (128, 64)


def count_table(shots: Sequence[Shot]) -> str:
    """Pictures and identities of each camera, as text."""
    pictures = Counter(shot.camera for shot in shots)
    pairs = Counter(camera for camera, _ in {(shot.camera, shot.person_id) for shot in shots})
    lines = [f'{"camera":<8}{"modality":<10}{"identities":>11}{"images":>8}']
    for camera in sorted(pictures, key=lambda camera: (camera.camera_id, camera.key)):
        lines.append(
            f'{camera.camera_id:<8}{camera.modality:<10}{pairs[camera]:>11}{pictures[camera]:>8}'
        )
    lines.append(f'{"all":<18}{len({shot.person_id for shot in shots}):>11}{len(shots):>8}')
    return '\n'.join(lines)


def contact_sheet(root: Path, layout: Layout, num_ids: int = 12) -> np.ndarray:
    """First picture of some test identities (rows) in every camera (columns).

    Args:
        root: Folder of the rendered data set.
        layout: What is in it.
        num_ids: Number of rows at most.

    Returns:
        uint8 picture, blue-green-red; black where a camera did not see the person.
    """
    first = {
        (shot.person_id, shot.camera): root / shot.path
        for shot in layout.test_shots()
        if shot.index == 1
    }
    cameras = sorted({camera for _, camera in first}, key=lambda camera: camera.key[::-1])
    rows = []
    for person_id in sorted({person_id for person_id, _ in first})[:num_ids]:
        tiles = [_tile(first.get((person_id, camera))) for camera in cameras]
        rows.append(np.hstack(tiles))
    return np.vstack(rows)


def _tile(path: Path | None) -> np.ndarray:
    if path is None:
        return np.zeros((*TILE, 3), np.uint8)
    return cv2.resize(cv2.imread(str(path)), TILE[::-1], interpolation=cv2.INTER_AREA)


def parse_args(argv: Sequence[str] | None) -> tuple[CommandParser, argparse.Namespace]:
    parser = CommandParser(description=__doc__)
    parser.add_argument('--out', required=True, type=Path, help='folder to write; kept if complete')
    parser.add_argument('--size', default='small', choices=SIZES)
    parser.add_argument('--layout', default='sysu', choices=LAYOUTS)
    parser.add_argument('--seed', type=int, default=0, help='another seed gives other people')
    parser.add_argument(
        '--tones', default='independent', choices=TONES,
        help='related: infrared shows of a garment how much red is in its colour',
    )  # fmt: skip
    parser.add_argument('--workers', type=int, help='processes (default: one per CPU core)')
    parser.add_argument(
        '--counterparts', type=Path, metavar='DIR',
        help='also write every moment in the other modality into this folder, under the same names',
    )  # fmt: skip
    parser.add_argument(
        '--contact-sheet', type=picture_path, metavar='FILE.png',
        help='also write a picture: rows are test identities, columns are cameras',
    )  # fmt: skip
    return parser, parser.parse_args(argv)


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    """Render, then say what was made."""
    parser, args = parse_args(argv)
    start = time.perf_counter()
    try:
        if args.contact_sheet:
            check_output(args.contact_sheet)
        what = args.size, args.layout, args.seed, args.workers
        ensure_rendered(args.out, *what, tones=args.tones)
        layout = LAYOUTS[args.layout](args.size, args.seed)
        if not (args.out / FACTORS).exists():
            write_factors(args.out / FACTORS, args.seed, layout.shots())
        if args.counterparts:
            ensure_rendered(args.counterparts, *what, counterparts=True, tones=args.tones)
    except (Refusal, OSError) as error:
        parser.refuse(error)
    seconds = time.perf_counter() - start
    if args.contact_sheet:
        write_picture(args.contact_sheet, contact_sheet(args.out, layout))
    print(count_table(layout.shots()))
    print(f'{args.out.absolute()} ({args.layout}, {args.size}, seed {args.seed}): {seconds:.1f} s')
    if args.counterparts:
        print(f'{args.counterparts.absolute()}: the same moments in the other modality')
    if args.contact_sheet:
        print(Path(args.contact_sheet).absolute())


if __name__ == '__main__':
    main()
