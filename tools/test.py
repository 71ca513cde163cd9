"""Evaluate a checkpoint: ``python tools/test.py configs/agw/agw_synthetic.py CHECKPOINT``."""

import argparse

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmvireid.engine.runner import clear_errors, distributed, parse_run_args, prepare_config


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Evaluate a checkpoint by its data set's protocol")
    parser.add_argument('config', help='config file (Python code: only run configs you trust)')
    parser.add_argument('checkpoint', help='checkpoint file, read without running code in it')
    parser.add_argument(
        '--flip', action='store_true', help="also report features fused with the mirrored image's"
    )
    parser.add_argument(
        '--rerank', action='store_true', help='also report k-reciprocal re-ranking (slow)'
    )
    parser.add_argument('--save-features', metavar='FILE.npz', help='write the features')
    parser.add_argument('--out', metavar='FILE.json', help='write the result with its provenance')
    return parse_run_args(parser, argv)


def apply_switches(cfg: Config, args: argparse.Namespace) -> None:
    """Turn the command's switches into config values."""
    cfg.load_from = args.checkpoint
    cfg.model.flip_test = args.flip or cfg.model.get('flip_test', False)
    cfg.test_evaluator.rerank = args.rerank or cfg.test_evaluator.get('rerank', False)
    if args.save_features:
        cfg.test_evaluator.save_features = args.save_features
    if args.out:
        cfg.test_evaluator.out = args.out


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with clear_errors('test'), distributed(args.launcher):
        cfg = prepare_config(args)
        apply_switches(cfg, args)
        init_default_scope(cfg.default_scope)
        Runner.from_cfg(cfg).test()


if __name__ == '__main__':
    main()
