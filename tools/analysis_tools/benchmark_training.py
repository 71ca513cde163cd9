"""Seconds per training iteration of a config, against the same arithmetic in a bare loop.

``python tools/analysis_tools/benchmark_training.py configs/agw/agw_sysu.py --iters 10``

Both train the config's model on one fixed batch in memory, so data loading is left out
(``benchmark_dataloader.py`` measures it) and the difference is what the framework costs: Runner,
hooks, optimiser wrapper and logging. The two take turns, and medians are compared.
"""

import argparse
import statistics
import tempfile
import time
from contextlib import nullcontext
from itertools import pairwise

import torch
from mmengine.config import Config, DictAction
from mmengine.hooks import Hook
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Dataset

from mmvireid.engine.runner import clear_errors
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES, ReIDDataSample


class FixedBatches(Dataset):
    """The same collated batch again and again, images uniform noise.

    Args:
        cfg: Says image size, identities and images per identity.
        iters: Number of batches.
    """

    def __init__(self, cfg: Config, iters: int) -> None:
        sampler = cfg.train_dataloader.batch_sampler
        height, width = cfg.train_dataloader.dataset.pipeline[0]['size']
        count, self.iters = cfg.train_dataloader.batch_size, iters
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(0, 256, (count, 3, height, width), generator=generator)
        labels = [i // sampler.num_instances for i in range(count // 2)]
        samples = [
            ReIDDataSample(gt_label=label, person_id=label, camera_id=1, modality=modality)
            for modality in MODALITIES
            for label in labels
        ]
        self.batch = dict(inputs=images.to(torch.uint8), data_samples=samples)
        self.metainfo = dict(num_ids=cfg.num_ids)

    def __len__(self) -> int:
        return self.iters

    def __getitem__(self, index: int) -> dict:
        return self.batch


class Stopwatch(Hook):
    """Collects the time at the end of every training iteration."""

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.times = []

    def before_train_epoch(self, runner: Runner) -> None:
        self.times.append(now())

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        self.times.append(now())


def now() -> float:
    """Time in seconds, after what the GPU still has to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def time_runner(cfg: Config, iters: int) -> list[float]:
    """Seconds of every iteration under the Runner."""
    kept = ('custom_hooks', 'default_scope', 'randomness', 'env_cfg', 'log_level')
    runner = Runner(
        model=cfg.model,
        work_dir=cfg.work_dir,
        train_dataloader=DataLoader(FixedBatches(cfg, iters), batch_size=None),
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=cfg.optim_wrapper,
        # neither a sampler to seed nor a checkpoint to write
        default_hooks=dict(cfg.default_hooks, sampler_seed=None, checkpoint=None),
        experiment_name=f'benchmark_{time.perf_counter_ns()}',
        cfg=cfg,
        **{key: cfg.get(key) for key in kept},
    )
    watch = Stopwatch()
    runner.register_hook(watch)
    runner.train()
    return [end - start for start, end in pairwise(watch.times)]


def time_bare_loop(cfg: Config, iters: int) -> list[float]:
    """Seconds of every iteration of a plain PyTorch loop around the same network."""
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    model = MODELS.build(cfg.model).to(device).train()
    model.init_weights()
    batch = FixedBatches(cfg, iters).batch
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper).optimizer
    amp = cfg.optim_wrapper.type == 'AutocastOptimWrapper'
    times = [now()]
    for _ in range(iters):
        with torch.autocast(device, torch.bfloat16) if amp else nullcontext():
            losses = model(**model.data_preprocessor(batch, True), mode='loss')
        optimizer.zero_grad()
        total, _ = model.parse_losses(losses)
        total.backward()
        optimizer.step()
        times.append(now())
    return [end - start for start, end in pairwise(times)]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config')
    parser.add_argument('--iters', type=int, default=10, help='iterations per turn')
    parser.add_argument('--turns', type=int, default=2, help='turns of each of the two')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    args = parser.parse_args(argv)
    with clear_errors('benchmark_training'), tempfile.TemporaryDirectory() as work_dir:
        cfg = Config.fromfile(args.config)
        cfg.merge_from_dict(
            {'work_dir': work_dir, 'model.backbone.init_cfg': None, 'log_level': 'ERROR'}
            | (args.cfg_options or {})
        )
        init_default_scope(cfg.default_scope)
        times = dict(runner=[], bare=[])
        for _ in range(args.turns):
            # the first iteration of a turn warms up
            times['bare'] += time_bare_loop(cfg, args.iters + 1)[1:]
            times['runner'] += time_runner(cfg, args.iters + 1)[1:]
    bare, runner = (statistics.median(times[key]) for key in ('bare', 'runner'))
    images = cfg.train_dataloader.batch_size
    print(f'bare loop  {bare:8.4f} s/iteration  {images / bare:8.1f} images/s')
    print(f'Runner     {runner:8.4f} s/iteration  {images / runner:8.1f} images/s')
    print(f'overhead   {100 * (runner / bare - 1):+8.2f} %')
    if torch.cuda.is_available():
        print(f'peak memory {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB')


if __name__ == '__main__':
    main()
