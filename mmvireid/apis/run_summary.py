"""What a run does on what, in a few lines before it begins, and what to type when it has ended."""

import datetime
import shlex
from collections import Counter
from collections.abc import Sized
from pathlib import Path

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict
from mmengine.runner import IterBasedTrainLoop
from torch import nn

from mmvireid.datasets.base_reid_dataset import BaseReIDDataset
from mmvireid.engine.hooks import StageHook
from mmvireid.engine.hooks.checkpoint_hook import newest_checkpoint
from mmvireid.engine.runner import ReIDRunner
from mmvireid.evaluation.feature_set import describe_source
from mmvireid.models.base import unwrap


class RunSummary(Hook):
    """Says what is trained, or tested, on what, and where everything goes.

    Args:
        config: The config's file.
    """

    priority = 'HIGH'  # after the checks of PreflightHook, before the first stage is said

    def __init__(self, config: str) -> None:
        self.config = config

    def before_train(self, runner: ReIDRunner) -> None:
        """Say it, once all that can be refused has been looked at."""
        say(runner, 'Training', self._describe_run(runner))
        say(runner, 'Schedule', describe_schedule(runner))
        loader = runner.train_dataloader
        say(runner, 'Data', f'{describe_data(loader.dataset)}{describe_batch(runner)}')
        if runner.val_loop is not None:
            say(runner, 'Validation', describe_data(runner.val_loop.dataloader.dataset))
        for line in describe_optimisers(runner):
            say(runner, 'Optimiser', line)
        for hook in runner.hooks:
            if isinstance(hook, StageHook):
                say(runner, 'Stages', describe_stages(hook))
        say_output(runner)

    def before_test(self, runner: ReIDRunner) -> None:
        """Say it before the first image is read."""
        say(runner, 'Testing', self._describe_run(runner))
        say(runner, 'Data', describe_data(runner.test_loop.dataloader.dataset))
        say_output(runner)

    def _describe_run(self, runner: ReIDRunner) -> str:
        """The method, its config, the seed, the device and the number of processes."""
        model = unwrap(runner.model)
        device = next(model.parameters()).device.type
        several = f', {get_world_size()} processes' if get_world_size() > 1 else ''
        return f'{type(model).__name__} of {self.config}, seed {runner.seed}, on {device}{several}'


def say(runner: ReIDRunner, what: str, text: str) -> None:
    """Log a line that begins with its subject."""
    runner.logger.info(f'{what + ":":<11} {text}')


def say_output(runner: ReIDRunner) -> None:
    """Say where everything goes."""
    log = Path(runner.logger.log_file or runner.work_dir)
    where = from_here(runner.work_dir)
    inside = log.is_relative_to(runner.work_dir)
    log = log.relative_to(runner.work_dir) if inside else log
    say(runner, 'Output', f'{where}, the whole log {"there, in" if inside else "in"} {log}')


def say_end(runner: ReIDRunner, seconds: float) -> None:
    """Say how long a training took, what it has left, and by what command that is tested.

    Args:
        runner: Whose training is complete.
        seconds: How long it took.
    """
    took = datetime.timedelta(seconds=round(seconds))
    newest = newest_checkpoint(runner.work_dir)
    best = [getattr(h, 'best_ckpt_path', None) for h in runner.hooks]
    checkpoint = next(filter(None, best), newest)
    if checkpoint is None:
        say(runner, 'Trained', f'in {took}, no checkpoint was asked for')
        return
    kind = 'newest' if checkpoint == newest else 'best'
    say(runner, 'Trained', f'in {took}; the {kind} checkpoint is {from_here(checkpoint)}')
    # the config in the work dir has what the command line changed
    config = Path(runner.work_dir, Path(runner.cfg.filename or 'config.py').name)
    if config.is_file() and runner.cfg.get('test_dataloader'):
        command = f'python tools/test.py {shlex.quote(from_here(config))}'
        # a wrapped line could not be copied
        say(runner, 'Next', f'{command} \\\n{"":<12}{shlex.quote(from_here(checkpoint))}')


def from_here(path: str | Path) -> str:
    """A path as a user at this place would type it: relative, if it leads nowhere else.

    Example:
        >>> from_here(Path.cwd() / 'work_dirs'), from_here('/')
        ('work_dirs', '/')
    """
    path = Path(path)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def describe_schedule(runner: ReIDRunner) -> str:
    """How long the training is, and how much of it is to come."""
    if isinstance(runner.train_loop, IterBasedTrainLoop):
        done = f', {runner.iter} of them done' if runner.iter else ''
        return f'{runner.max_iters} iterations{done}'
    epochs = '1 epoch' if runner.max_epochs == 1 else f'{runner.max_epochs} epochs'
    length = f'{epochs} of {len(runner.train_dataloader)} iterations'
    every = getattr(runner.train_loop, 'val_interval', None)
    each = 'epoch' if every == 1 else f'{every} epochs'
    validated = f', validation every {each}' if runner.val_loop and every else ''
    return length + (f', {runner.epoch} of them done' if runner.iter else '') + validated


def describe_batch(runner: ReIDRunner) -> str:
    """How many images an iteration sees, in all processes; empty if that is not known."""
    size = (runner.cfg.get('train_dataloader') or {}).get('batch_size')
    return f', {size * get_world_size()} per iteration' if size else ''


def describe_data(dataset: Sized) -> str:
    """What a data set is, and how many images and people it has.

    Args:
        dataset: Any; of one that is none of this package no more than the number is known.

    Example:
        >>> describe_data([1, 2, 3])
        'list, 3 images'
    """
    if not isinstance(dataset, BaseReIDDataset):
        return f'{type(dataset).__name__}, {len(dataset):,} images'
    rows = [dataset.get_data_info(index) for index in range(len(dataset))]
    counts = Counter(row['modality'] for row in rows)
    people = len({row['person_id'] for row in rows})
    each = ', '.join(f'{count:,} {modality}' for modality, count in counts.items())
    source = describe_source(dataset.metainfo)
    return f'{source} ({dataset.data_root}), {len(rows):,} images of {people:,} people: {each}'


def describe_optimisers(runner: ReIDRunner) -> list[str]:
    """A line for each optimiser: its kind, what it moves, its rate."""
    wrappers = runner.optim_wrapper
    several = isinstance(wrappers, OptimWrapperDict)
    lines = []
    for name, wrapper in wrappers.items() if several else [('', wrappers)]:
        groups = wrapper.optimizer.param_groups
        rates = sorted({group.get('initial_lr', group['lr']) for group in groups})
        rate = ' to '.join(f'{rate:.3g}' for rate in dict.fromkeys([rates[0], rates[-1]]))
        moved = describe_size([p for group in groups for p in group['params'] if p.requires_grad])
        kind = type(wrapper.optimizer).__name__
        lines.append(f'{f"{name} ({kind})" if name else kind} moves {moved}, rate {rate}')
    return lines


def describe_size(parameters: list[nn.Parameter]) -> str:
    """A number of parameters.

    Example:
        >>> describe_size([nn.Parameter(nn.Linear(1000, 2500).weight)])
        '2.50 M parameters'
    """
    return f'{sum(parameter.numel() for parameter in parameters) / 1e6:.2f} M parameters'


def describe_stages(hook: StageHook) -> str:
    """The stages and their ends.

    Example:
        >>> describe_stages(StageHook([dict(name='warm-up', end=10), dict(name='joint')]))
        'warm-up until epoch 10, then joint'
    """
    unit = 'epoch' if hook.by_epoch else 'iteration'
    return ', then '.join(
        stage.name if stage.end is None else f'{stage.name} until {unit} {stage.end}'
        for stage in hook.stages
    )
