"""Evaluate a checkpoint: ``python tools/test.py configs/agw/agw_synthetic.py CHECKPOINT``."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's package

from mmvireid.commands import (
    CommandParser,
    add_rerank_argument,
    heavy_imports,
    parse_run_args,
    steady_screen,
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = CommandParser(description="Evaluate a checkpoint by its data set's protocol")
    parser.add_argument('config', help='config file (Python code: only run configs you trust)')
    parser.add_argument('checkpoint', help='checkpoint file, read without running code in it')
    parser.add_argument(
        '--flip', action='store_true', help="also report features fused with the mirrored image's"
    )
    add_rerank_argument(parser, 'also report re-ranked results')
    parser.add_argument('--save-features', metavar='FILE.npz', help='write the features')
    return parse_run_args(parser, argv)


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with heavy_imports():  # which take seconds that --help need not
        from mmvireid.apis.testing import run_test

    run_test(args)


if __name__ == '__main__':
    main()
