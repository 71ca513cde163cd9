"""Extract the features of pictures: files, folders, or tables with the columns path and modality.

python tools/extract.py CONFIG CHECKPOINT crops/ --modality infrared --out crops.npz

The features are those that tools/test.py ranks by, in a file that eval_features.py and
ranked_lists.py read. CONFIG is a config file, or a name of the model index.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's package

from mmvireid.apis import ReIDInferencer, model_parser, positive
from mmvireid.apis.inferencer import ON_UNREADABLE
from mmvireid.commands import steady_screen
from mmvireid.engine.runner import clear_errors
from mmvireid.evaluation.feature_set import npz_path
from mmvireid.storage import check_output
from mmvireid.structures import MODALITIES


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = model_parser(__doc__)
    parser.add_argument('inputs', nargs='+', help='images, folders of them, or tables (*.csv)')
    parser.add_argument('--out', required=True, metavar='FILE.npz', help='features file to write')
    parser.add_argument('--modality', choices=MODALITIES, help='of all that no table tells it of')
    parser.add_argument('--camera', type=int, default=-1, help='likewise (%(default)s: unknown)')
    parser.add_argument('--split', help='only the lines of tables of this split')
    parser.add_argument('--device', help='such as cpu or cuda:0 (a GPU if there is one)')
    parser.add_argument('--batch-size', type=positive, help="images at once (the config's)")
    parser.add_argument('--workers', type=int, default=0, help='processes that load images')
    parser.add_argument('--amp', action='store_true', help='compute in bf16')
    parser.add_argument('--flip', action='store_true', help='also those of the mirrored images')
    parser.add_argument(
        '--on-unreadable',
        choices=ON_UNREADABLE,
        default=ON_UNREADABLE[0],
        help='an image that cannot be read stops everything (default), or is listed and left out',
    )
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    out = check_output(npz_path(args.out))
    options = dict(args.cfg_options or {}, **({'model.flip_test': True} if args.flip else {}))
    inferencer = ReIDInferencer(args.config, args.checkpoint, args.device, options)
    features = inferencer(
        args.inputs,
        args.modality,
        args.camera,
        args.split,
        batch_size=args.batch_size,
        num_workers=args.workers,
        amp=args.amp,
        on_unreadable=args.on_unreadable,
        progress=True,
    )
    features.save(out, dict(inferencer.source, amp=args.amp))
    print(f'{len(features):,} features of {features.features.shape[1]} numbers are in {out}.')
    if inferencer.unreadable:
        print(f'{len(inferencer.unreadable):,} images could not be read, and are not in it:')
        print('\n'.join(f'- {reason}' for reason in inferencer.unreadable.values()))


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    with clear_errors('extract'):
        run(args)


if __name__ == '__main__':
    main()
