"""What ``tools/test.py`` does, once its command line is read."""

import argparse
from collections import Counter
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from mmvireid.apis.run_summary import RunSummary
from mmvireid.engine.runner import (
    ReIDRunner,
    build_runner,
    clear_errors,
    code_commit,
    distributed,
    package_version,
    prepare_config,
)
from mmvireid.errors import InvalidValueError, RunStoppedError
from mmvireid.evaluation.feature_set import npz_path
from mmvireid.evaluation.metrics import RetrievalMetric
from mmvireid.storage import check_output


def run_test(args: argparse.Namespace) -> None:
    """Evaluate a checkpoint by the protocol of its data set.

    Args:
        args: Of ``tools/test.py``.
    """
    with clear_errors('test'), distributed(args.launcher):
        evaluate(args)  # a function, after which nothing holds the model


def evaluate(args: argparse.Namespace) -> None:
    """Evaluate with the switches of a command line.

    Args:
        args: Of ``tools/test.py``.
    """
    cfg = prepare_config(args)
    apply_switches(cfg, args)
    runner = build_runner(cfg)
    runner.logger.info(package_version())
    set_up_metrics(runner, args)
    runner.register_hook(Provenance(args))
    runner.register_hook(RunSummary(args.config))
    results = runner.test()
    if is_main_process():
        print_results(runner, results)


def describe(checkpoint: str, meta: dict) -> dict:
    """Where the weights come from, and what they were chosen by."""
    selection = f'epoch {meta["epoch"]}' if 'epoch' in meta else 'unknown'
    if Path(checkpoint).name.startswith('best_'):
        selection = f'best on {meta.get("validation_split", "unknown")}'
    trained_on = meta.get('dataset_meta')
    return dict(
        checkpoint=checkpoint, selection=selection, seed=meta.get('seed'), trained_on=trained_on
    )


class Provenance(Hook):
    """Tells metrics where the weights come from, once these are loaded."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args

    def after_load_checkpoint(self, runner: ReIDRunner, checkpoint: dict) -> None:
        weights = describe(self.args.checkpoint, checkpoint.get('meta', {}))
        saved = self.args.save_features and str(npz_path(self.args.save_features).resolve())
        root = getattr(runner.test_loop.dataloader.dataset, 'data_root', None)
        places = dict(features=saved, data_root=root and str(Path(root).resolve()))
        for metric in retrieval_metrics(runner):
            metric.provenance = dict(config=self.args.config, commit=code_commit(), **weights)
            metric.provenance |= places


def apply_switches(cfg: Config, args: argparse.Namespace) -> None:
    """Turn the command's switches into config values."""
    if cfg.get('test_evaluator') is None or cfg.get('test_dataloader') is None:
        raise InvalidValueError(
            f'test: {args.config} has no `test_dataloader` or no `test_evaluator`, expected both.'
        )
    if args.save_features:
        check_output(npz_path(args.save_features))
    cfg.model.flip_test = args.flip or cfg.model.get('flip_test', False)
    # the runner loads when its hooks are ready: one of them may have weights of its own
    cfg.load_from, cfg.resume = args.checkpoint, False


def retrieval_metrics(runner: ReIDRunner) -> list[RetrievalMetric]:
    """Those of the metrics that know the command's switches."""
    return [m for m in runner.test_evaluator.metrics if isinstance(m, RetrievalMetric)]


def set_up_metrics(runner: ReIDRunner, args: argparse.Namespace) -> None:
    """Hand the command's switches to the metrics that know them.

    Raises:
        ValueError: If there is none for them.
    """
    metrics = retrieval_metrics(runner)
    if not metrics and (args.rerank or args.save_features):
        raise InvalidValueError(
            'test: `test_evaluator` has no metric that knows --rerank and --save-features, '
            'expected a RetrievalMetric, such as SYSUMetric.'
        )
    stems = Counter()
    for metric in metrics:
        metric.reranking = args.rerank or metric.reranking
        metric.out_dir = runner.work_dir
        stems[metric.file_stem] += 1
        if stems[metric.file_stem] > 1:
            metric.file_stem += f'_{stems[metric.file_stem]}'
    for metric in metrics[:1]:  # all have the same features
        metric.save_features = args.save_features


def print_results(runner: ReIDRunner, results: dict[str, float]) -> None:
    """Print the table of every metric that has one, then the results of the others.

    Raises:
        RuntimeError: If something could not be written.
    """
    metrics = retrieval_metrics(runner)
    for metric in metrics:
        print(f'\n{metric.table()}')
    shown = {key for metric in metrics for key in metric.result_keys(flip=True)}
    others = {key: value for key, value in results.items() if key not in shown}
    if others:
        print('\n' + '\n'.join(f'{key}: {value}' for key, value in others.items()))
    unwritten = [reason for metric in metrics for reason in metric.unwritten]
    if unwritten:
        raise RunStoppedError(' '.join(unwritten))
    if metrics:
        print(f'Trials and provenance are in {runner.work_dir}.')
