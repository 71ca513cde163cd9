"""What ``tools/train.py`` does, once its command line is read."""

import argparse
import time

from mmengine.config import Config

from mmvireid.apis.run_record import RunRecord
from mmvireid.apis.run_summary import RunSummary, say_end
from mmvireid.engine.runner import (
    build_runner,
    clear_errors,
    distributed,
    package_version,
    prepare_config,
    settle_resume,
    use_autocast,
    work_dir_lock,
)


def run_training(args: argparse.Namespace) -> None:
    """Train a config's model, in a work dir that is nobody else's.

    Args:
        args: Of ``tools/train.py``.
    """
    with clear_errors('train'), distributed(args.launcher):
        cfg = prepare_config(args)
        with work_dir_lock(cfg.work_dir, args.launcher):
            train(cfg, args)


def train(cfg: Config, args: argparse.Namespace) -> None:
    """Train with the switches of a command line.

    Args:
        cfg: From :func:`~mmvireid.engine.runner.prepare_config`.
        args: Of ``tools/train.py``.
    """
    checkpoint = settle_resume(cfg, args)
    if args.amp:
        use_autocast(cfg.optim_wrapper)
    runner = build_runner(cfg)
    runner.logger.info(package_version())
    if checkpoint is not None:  # not in the config, which stays in the work dir
        runner._resume, runner._load_from = True, checkpoint
    runner.register_hook(RunSummary(args.config))
    runner.register_hook(RunRecord(args.config))
    start = time.monotonic()
    runner.train()
    say_end(runner, time.monotonic() - start)
