"""Evaluate a checkpoint: ``python tools/test.py configs/agw/agw_synthetic.py CHECKPOINT``."""

import argparse
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmvireid.engine.runner import clear_errors, distributed, parse_run_args, prepare_config
from mmvireid.evaluation.feature_set import npz_path
from mmvireid.utils import check_output, steady_screen


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
    return parse_run_args(parser, argv)


def describe(checkpoint: str, meta: dict) -> dict:
    """Where the weights come from, and what they were chosen by."""
    selection = f'epoch {meta["epoch"]}' if 'epoch' in meta else 'unknown'
    if Path(checkpoint).name.startswith('best_'):
        selection = f'best on {meta.get("validation_split", "unknown")}'
    trained_on = meta.get('dataset_meta')
    return dict(
        checkpoint=checkpoint, selection=selection, seed=meta.get('seed'), trained_on=trained_on
    )


def apply_switches(cfg: Config, args: argparse.Namespace) -> None:
    """Turn the command's switches into config values."""
    if args.save_features:
        check_output(npz_path(args.save_features))
    cfg.model.flip_test = args.flip or cfg.model.get('flip_test', False)
    cfg.test_evaluator.update(
        rerank=args.rerank or cfg.test_evaluator.get('rerank', False),
        save_features=args.save_features,
        out_dir=cfg.work_dir,
    )


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with clear_errors('test'), distributed(args.launcher):
        cfg = prepare_config(args)
        apply_switches(cfg, args)
        init_default_scope(cfg.default_scope)
        runner = Runner.from_cfg(cfg)
        meta = runner.load_checkpoint(args.checkpoint).get('meta', {})
        metric = runner.test_evaluator.metrics[0]
        metric.provenance = dict(config=args.config, **describe(args.checkpoint, meta))
        runner.test()
        if is_main_process():
            print(f'\n{metric.table()}\nTrials and provenance are in {cfg.work_dir}.')


if __name__ == '__main__':
    main()
