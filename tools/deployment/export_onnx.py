"""Write a model as ONNX files, one per modality, and what who runs them has to know.

python tools/deployment/export_onnx.py CONFIG CHECKPOINT --out DIR

visible.onnx and infrared.onnx take pictures, uint8 (N, H, W, 3), of the model's size, and give
features of length one, float32 (N, D). model.json says size, order of channels, interpolation,
size of a feature and checksums. Features are compared with PyTorch's before anything is left in
DIR. run_onnx.py runs them without PyTorch. CONFIG is a config file, or a name of the model index.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.apis import ReIDInferencer, make_folder, model_parser
from mmvireid.apis.onnx_export import CHANNELS, export_onnx
from mmvireid.commands import steady_screen
from mmvireid.engine.runner import clear_errors
from mmvireid.evaluation import align_rows


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = model_parser(__doc__)
    parser.add_argument('--out', required=True, metavar='DIR', help='folder for the files')
    parser.add_argument(
        '--channels', choices=CHANNELS, default=CHANNELS[0], help='of pictures (%(default)s)'
    )
    parser.add_argument(
        '--time', action='store_true', help="measure the time per picture, beside PyTorch's"
    )
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    inferencer = ReIDInferencer(args.config, args.checkpoint, 'cpu', args.cfg_options)
    result = export_onnx(inferencer, make_folder(args.out), args.channels, args.time)
    for modality, difference in result['largest_difference'].items():
        path = Path(args.out, result['files'][modality]['file'])
        print(f'{path}: {path.stat().st_size / 2**20:.1f} MiB, differs by at most {difference:.1e}')
    rows = [
        [modality, str(batch), *(f'{1000 * seconds:.2f}' for seconds in times.values())]
        for modality, batches in result['seconds'].items()
        for batch, times in batches.items()
    ]
    if rows:
        print(align_rows([['ms per picture', 'batch', 'PyTorch', 'ONNX Runtime'], *rows]))


@steady_screen()
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    with clear_errors('export_onnx'):
        run(args)


if __name__ == '__main__':
    main()
