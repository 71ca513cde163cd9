"""Train a model: ``python tools/train.py configs/dgvae/dgvae_sysu.py``."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's package

from mmvireid.commands import CommandParser, heavy_imports, parse_run_args, steady_screen


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = CommandParser(description='Train a model')
    parser.add_argument('config', help='config file (Python code: only run configs you trust)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='PATH',
        help='go on from this checkpoint, or from the newest one in the work dir',
    )
    parser.add_argument('--amp', action='store_true', help='bf16 autocast (CPU and GPU)')
    return parse_run_args(parser, argv)


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with heavy_imports():  # which take seconds that --help need not
        from mmvireid.apis.training import run_training

    run_training(args)


if __name__ == '__main__':
    main()
