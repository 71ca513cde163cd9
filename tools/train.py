"""Train a model: ``python tools/train.py configs/dgvae/dgvae_sysu.py``."""

import argparse

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmvireid.engine.runner import (
    clear_errors,
    distributed,
    parse_run_args,
    prepare_config,
    resume_from,
    use_autocast,
)
from mmvireid.utils import steady_screen


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a model')
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


def apply_switches(cfg: Config, args: argparse.Namespace) -> None:
    """Apply ``--resume`` and ``--amp`` to the config."""
    checkpoint = resume_from(args.resume, cfg.work_dir)
    if checkpoint is not None:
        cfg.resume, cfg.load_from = True, checkpoint
    elif args.resume == 'auto':
        print(f'train: no checkpoint in {cfg.work_dir} yet, training starts from scratch')
    if args.amp:
        use_autocast(cfg.optim_wrapper)


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with clear_errors('train'), distributed(args.launcher):
        cfg = prepare_config(args)
        apply_switches(cfg, args)
        init_default_scope(cfg.default_scope)
        Runner.from_cfg(cfg).train()


if __name__ == '__main__':
    main()
