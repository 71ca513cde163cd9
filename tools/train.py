"""Train a model: ``python tools/train.py configs/dgvae/dgvae_sysu.py``."""

import argparse
import sys
from pathlib import Path

from mmengine.config import Config

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this clone's package

from mmvireid.engine.runner import (
    CommandParser,
    build_runner,
    clear_errors,
    distributed,
    package_version,
    parse_run_args,
    prepare_config,
    settle_resume,
    use_autocast,
    work_dir_lock,
)
from mmvireid.screen import steady_screen


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
    with clear_errors('train'), distributed(args.launcher):
        cfg = prepare_config(args)
        with work_dir_lock(cfg.work_dir, args.launcher):
            train(cfg, args)


def train(cfg: Config, args: argparse.Namespace) -> None:
    """Train with the switches of a command line."""
    checkpoint = settle_resume(cfg, args)
    if args.amp:
        use_autocast(cfg.optim_wrapper)
    runner = build_runner(cfg)
    runner.logger.info(package_version())
    if checkpoint is not None:  # not in the config, which stays in the work dir
        runner._resume, runner._load_from = True, checkpoint
    runner.train()


if __name__ == '__main__':
    main()
