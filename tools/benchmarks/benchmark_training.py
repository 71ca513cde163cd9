"""Seconds per training iteration of a config, against the same arithmetic in a bare loop.

``python tools/benchmarks/benchmark_training.py configs/agw/agw_sysu.py --iters 10``

Both train the config's model, from random weights, on one fixed batch of noise in memory, so data
loading is left out (``benchmark_dataloader.py`` measures it). The bare loop calls the method's
loss functions and steps PyTorch's own optimisers. Of alternating methods it runs every update of
the stage, and switches by hand who gets a gradient: that is a part of the method. What the overhead
stands for is Runner, hooks that act in every iteration, optimiser wrappers, gradient norms for the
log, and logging. The two take turns, and medians are compared.

``--released`` adds AGW's step as its release and most of what builds on it write it: three whole
ResNet-50, of which two stems and one trunk are used, float32, and a wait for every loss.
"""

import argparse
import gc
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.models import resnet50

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this clone's package

from mmvireid.commands import CommandParser, add_options_argument, steady_screen
from mmvireid.datasets import noise_batch
from mmvireid.engine.optimizers import AutocastOptimWrapper
from mmvireid.engine.runner import (
    ReIDRunner,
    clear_errors,
    forget_weights,
    read_config,
    use_autocast,
)
from mmvireid.models.base import AlternatingReID, BaseReID
from mmvireid.registry import HOOKS, MODELS

#: Hooks that need the real data, and act before, after or rarely during training.
LEFT_OUT = ('CheckpointHook', 'DistSamplerSeedHook', 'GenerationHook', 'PreflightHook')


class FixedBatches(Dataset):
    """The same collated batch again and again, images uniform noise.

    Args:
        cfg: Says image size, identities and images per identity, in each block of a batch.
        iters: Number of batches.
    """

    def __init__(self, cfg: Config, iters: int) -> None:
        sampler = cfg.train_dataloader.batch_sampler
        blocks = {
            name: (block['num_ids'], block['num_instances'])
            for name, block in sampler.get('blocks', {None: sampler}).items()
        }
        self.iters = iters
        self.batch = noise_batch(cfg.train_dataloader.dataset.pipeline[0]['size'], blocks)
        if torch.cuda.is_available():  # as data loaders do
            self.batch['inputs'] = self.batch['inputs'].pin_memory()

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


def stage_hook(cfg: Config) -> dict | None:
    """Config of the StageHook, ``None`` if training has no stages."""
    hooks = [*cfg.get('default_hooks', {}).values(), *cfg.get('custom_hooks', ())]
    return next((hook for hook in hooks if hook and hook['type'] == 'StageHook'), None)


def stage_names(cfg: Config) -> list[str]:
    """Names of the stages, in order."""
    hook = stage_hook(cfg)
    return [stage['name'] for stage in hook['stages']] if hook else []


def keep_stage(cfg: Config, name: str) -> None:
    """Leave one stage of the table, from the first iteration to the last."""
    hook = stage_hook(cfg)
    stage = next(dict(stage) for stage in hook['stages'] if stage['name'] == name)
    hook['stages'] = [dict(stage, end=None)]


def time_runner(cfg: Config, iters: int) -> list[float]:
    """Seconds of every iteration under the Runner."""
    left_out = dict.fromkeys(('checkpoint', 'preflight', 'sampler_seed'))
    default_hooks = {
        name: None if hook and hook.get('type') in LEFT_OUT else hook
        for name, hook in cfg.get('default_hooks', {}).items()
    }
    kept = ('default_scope', 'randomness', 'env_cfg', 'log_level')
    runner = ReIDRunner(
        model=cfg.model,
        work_dir=cfg.work_dir,
        train_dataloader=DataLoader(FixedBatches(cfg, iters), batch_size=None),
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=cfg.optim_wrapper,
        default_hooks=left_out | default_hooks,  # what is missing would be added
        custom_hooks=[h for h in cfg.get('custom_hooks', ()) if h['type'] not in LEFT_OUT],
        experiment_name=f'benchmark_{time.perf_counter_ns()}',
        cfg=cfg,
        **{key: cfg.get(key) for key in kept},
    )
    watch = Stopwatch()
    runner.register_hook(watch)
    runner.train()
    return [end - start for start, end in pairwise(watch.times)]


class PlainUpdate:
    """One backward pass and the steps of its optimisers, in plain PyTorch.

    Args:
        loss: Computes weighted terms from the batch and what updates share.
        model: Its parameters that the optimisers do not own are switched off meanwhile.
        wrappers: Hold the optimisers.
    """

    def __init__(self, loss: Callable, model: nn.Module, wrappers: list[OptimWrapper]) -> None:
        self.loss, self.model, self.wrappers = loss, model, wrappers
        groups = [group for wrapper in wrappers for group in wrapper.optimizer.param_groups]
        owned = {id(parameter) for group in groups for parameter in group['params']}
        self.others = [p for p in model.parameters() if p.requires_grad and id(p) not in owned]
        self.amp = isinstance(wrappers[0], AutocastOptimWrapper)

    def __call__(self, batch: dict, shared: dict, device: str) -> None:
        for parameter in self.others:
            parameter.requires_grad_(False)
        with torch.autocast(device, torch.bfloat16, enabled=self.amp):
            terms = self.loss(batch, shared)
        for parameter in self.others:
            parameter.requires_grad_(True)
        for wrapper in self.wrappers:
            wrapper.optimizer.zero_grad()
        total, _ = self.model.parse_losses(terms)
        total.backward()
        for wrapper in self.wrappers:
            if wrapper.clip_grad_kwargs:
                parameters = [p for group in wrapper.param_groups for p in group['params']]
                wrapper.clip_func(parameters, **wrapper.clip_grad_kwargs)
            wrapper.optimizer.step()


def plain_updates(cfg: Config, model: BaseReID) -> list[PlainUpdate]:
    """The updates of an iteration, in order; a method with one optimiser has one."""
    wrappers = build_optim_wrapper(model, cfg.optim_wrapper)
    if stage_names(cfg):
        model.enter_stage(HOOKS.build(stage_hook(cfg)).stages[0])
    if not isinstance(model, AlternatingReID):
        return [PlainUpdate(lambda batch, shared: model(**batch, mode='loss'), model, [wrappers])]

    def loss(name: str, batch: dict, shared: dict) -> dict:
        return model.weigh(getattr(model, f'loss_{name}')(**batch, shared=shared))

    return [
        PlainUpdate(partial(loss, name), model, [wrappers[key] for key in model.updates[name]])
        for name in model.active_updates
    ]


def time_bare_loop(cfg: Config, iters: int) -> list[float]:
    """Seconds of every iteration of a plain PyTorch loop around the same network."""
    device = get_device()
    model = MODELS.build(cfg.model).to(device).train()
    model.init_weights()
    updates = plain_updates(cfg, model)
    data = FixedBatches(cfg, iters).batch
    times = [now()]
    for _ in range(iters):
        batch, shared = model.data_preprocessor(data, True), {}
        for update in updates:
            update(batch, shared, device)
        times.append(now())
    return [end - start for start, end in pairwise(times)]


class ReleasedNonLocal(nn.Module):
    """A non-local block as in AGW's release: with its matrix of all pairs of positions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.g, self.theta, self.phi = (nn.Conv2d(channels, 1, 1) for _ in range(3))
        self.out = nn.Sequential(nn.Conv2d(1, channels, 1), nn.BatchNorm2d(channels))
        nn.init.zeros_(self.out[1].weight)
        nn.init.zeros_(self.out[1].bias)

    def forward(self, x: Tensor) -> Tensor:
        g, theta, phi = (conv(x).flatten(2) for conv in (self.g, self.theta, self.phi))
        pairs = theta.transpose(1, 2) @ phi / phi.shape[2]  # (N, M, M)
        attended = (pairs @ g.transpose(1, 2)).transpose(1, 2).contiguous()
        return x + self.out(attended.unflatten(2, x.shape[2:]))


class ReleasedAGW(nn.Module):
    """AGW as its release builds it: three ResNet-50, of which two stems and one trunk are used.

    Args:
        num_ids: Number of training identities C.
    """

    def __init__(self, num_ids: int) -> None:
        super().__init__()
        self.visible, self.infrared, self.base = (resnet50() for _ in range(3))
        for network in (self.visible, self.infrared, self.base):
            network.fc = nn.Identity()
        first = self.base.layer4[0]
        first.conv2.stride = first.downsample[0].stride = (1, 1)
        self.non_local = nn.ModuleList(ReleasedNonLocal(c) for c in (512, 512, 1024, 1024, 1024))
        self.bottleneck = nn.BatchNorm1d(2048)
        self.bottleneck.bias.requires_grad_(False)
        self.classifier = nn.Linear(2048, num_ids, bias=False)

    @staticmethod
    def stem(network: nn.Module, images: Tensor) -> Tensor:
        return network.maxpool(network.relu(network.bn1(network.conv1(images))))

    def forward(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        """Images of both modalities -> embeddings (N, 2048), logits (N, C)."""
        x = torch.cat([self.stem(self.visible, visible), self.stem(self.infrared, infrared)])
        x = self.base.layer1(x)
        blocks = iter(self.non_local)
        for layer, start in ((self.base.layer2, 2), (self.base.layer3, 3)):
            for index, block in enumerate(layer):
                x = block(x)
                x = next(blocks)(x) if index >= start else x
        x = self.base.layer4(x).flatten(2)
        embedding = ((x**3).mean(dim=2) + 1e-12) ** (1 / 3)
        return embedding, self.classifier(self.bottleneck(embedding))


def released_triplet(x: Tensor, labels: Tensor) -> Tensor:
    """AGW's weighted regularised triplet loss of embeddings (N, D), as released."""
    square = x.square().sum(1, keepdim=True).expand(len(x), len(x))
    distances = torch.addmm(square + square.T, x, x.T, alpha=-2).clamp(min=1e-12).sqrt()
    sums = []
    for mask, sign in ((labels[:, None] == labels, 1), (labels[:, None] != labels, -1)):
        chosen = distances * mask
        scores = sign * chosen
        weights = torch.exp(scores - scores.max(dim=1, keepdim=True)[0]) * mask
        sums.append((chosen * weights / (weights.sum(dim=1, keepdim=True) + 1e-6)).sum(dim=1))
    return F.soft_margin_loss(sums[1] - sums[0], torch.ones_like(sums[0]))


def released_optimizer(model: ReleasedAGW) -> torch.optim.Optimizer:
    """SGD at AGW's rates: head at 0.1, everything else, dead copies too, at a tenth."""
    head = [*model.bottleneck.parameters(), *model.classifier.parameters()]
    known = {id(parameter) for parameter in head}
    others = [p for p in model.parameters() if id(p) not in known]
    groups = [dict(params=others, lr=0.01), dict(params=head, lr=0.1)]
    return torch.optim.SGD(groups, momentum=0.9, weight_decay=5e-4, nesterov=True)


def time_released(cfg: Config, iters: int) -> list[float]:
    """Seconds of every iteration as AGW's release writes it, on the config's batch."""
    device = get_device()
    model = ReleasedAGW(cfg.model.head.num_ids).to(device).train()
    optimizer = released_optimizer(model)
    data = MODELS.build(dict(type='ReIDDataPreprocessor'))(FixedBatches(cfg, 1).batch)
    images = data['inputs'].values()  # the release's loader normalises them
    gt_labels = torch.tensor([sample.gt_label for sample in data['data_samples']])
    times = [now()]
    for _ in range(iters):
        visible, infrared = (part.to(device) for part in images)
        labels = gt_labels.to(device)
        embedding, logits = model(visible, infrared)
        identity = F.cross_entropy(logits, labels)
        triplet = released_triplet(embedding, labels)
        loss = identity + triplet
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for value in (loss, identity, triplet):
            value.item()
        times.append(now())
    return [end - start for start, end in pairwise(times)]


def take_turns(cfg: Config, iters: int, turns: int, measures: Sequence[Callable]) -> list[float]:
    """Median seconds per iteration of each measure, which take turns."""
    times = {measure: [] for measure in measures}
    for _ in range(turns):
        for measure, seconds in times.items():
            seconds += measure(cfg, iters + 1)[1:]  # the first iteration of a turn warms up
            gc.collect()  # two models at a time would spoil the peak of the memory
    return [statistics.median(seconds) for seconds in times.values()]


def peak_memory() -> dict[str, float]:
    """Peaks since the start of the process, in GiB."""
    unit = 1 if sys.platform == 'darwin' else 2**10  # bytes, or KiB
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    peaks = {'resident memory of the whole process (Python and libraries included)': resident}
    if torch.cuda.is_available():
        peaks['GPU memory allocated by PyTorch'] = torch.cuda.max_memory_allocated()
    return {what: size / 2**30 for what, size in peaks.items()}


def parse_args(argv: list[str] | None) -> tuple[argparse.Namespace, Config]:
    parser = CommandParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file (Python code: only run configs you trust)')
    parser.add_argument('--iters', type=int, default=10, help='iterations per turn')
    parser.add_argument('--turns', type=int, default=2, help='turns of each of the two')
    parser.add_argument('--stage', metavar='NAME', help='stage to time (the last one)')
    parser.add_argument('--amp', action='store_true', help='bf16 autocast (CPU and GPU)')
    parser.add_argument(
        '--channels-last', action='store_true', help='channels-last memory format (ours alone)'
    )
    parser.add_argument(
        '--released', action='store_true', help="also AGW's step as released (configs of AGW)"
    )
    add_options_argument(parser)
    args = parser.parse_args(argv)
    with clear_errors('benchmark_training'):
        cfg = read_config(args.config, args.cfg_options)
    names = stage_names(cfg)
    if args.stage is not None and args.stage not in names:
        parser.error(f'`--stage` is {args.stage!r}, expected one of {names} of {args.config}.')
    if args.amp:
        use_autocast(cfg.optim_wrapper)
    if args.released and cfg.model.type != 'AGW':
        parser.error(f'`--released` is for models of type AGW, {args.config} has {cfg.model.type}.')
    if args.channels_last:
        cfg.model.channels_last = True
    if names:
        keep_stage(cfg, args.stage or names[-1])
    return args, cfg


@steady_screen()
def main(argv: list[str] | None = None) -> None:
    args, cfg = parse_args(argv)
    forget_weights(cfg.model)
    init_default_scope(cfg.default_scope)
    with clear_errors('benchmark_training'), tempfile.TemporaryDirectory() as work_dir:
        cfg.merge_from_dict(dict(work_dir=work_dir, log_level='ERROR'))
        measures = [time_bare_loop, time_runner, *[time_released] * args.released]
        bare, runner, *released = take_turns(cfg, args.iters, args.turns, measures)
    for name in stage_names(cfg):
        print(f'stage      {name}')
    images = cfg.train_dataloader.batch_size
    print(f'bare loop  {bare:8.4f} s/iteration  {images / bare:8.1f} images/s')
    print(f'Runner     {runner:8.4f} s/iteration  {images / runner:8.1f} images/s')
    print(f'overhead   {100 * (runner / bare - 1):+8.2f} %')
    for seconds in released:
        print(f'released   {seconds:8.4f} s/iteration  {images / seconds:8.1f} images/s')
        print(f'speed-up   {seconds / runner:8.2f} times')
    for what, gigabytes in peak_memory().items():
        print(f'peak       {gigabytes:8.2f} GiB {what}')


if __name__ == '__main__':
    main()
