"""What a training was, in a file beside its curves: what a report needs, without the config."""

import json
import shlex
import sys
from datetime import datetime
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from mmvireid.apis.run_summary import describe_data, describe_optimisers, describe_schedule
from mmvireid.engine.hooks import StageHook
from mmvireid.engine.run_settings import leaves
from mmvireid.engine.runner import ReIDRunner, code_commit
from mmvireid.engine.runner.setup import fit_loaders
from mmvireid.models.base import unwrap
from mmvireid.storage import new_file
from mmvireid.version import __version__

#: The file, in the folder that each start of a training has in its work dir.
RECORD = 'run.json'
#: What of a config counts; other names are its own helpers.
_SETTINGS = {*signature(Runner).parameters, 'custom_imports'} - {
    'work_dir', 'launcher', 'experiment_name', 'resume', 'cfg',
}  # fmt: skip


class RunRecord(Hook):
    """Leaves what a training is in ``<work dir>/<time>/run.json``, before its first iteration.

    Plain values: nobody who reads them runs a config. A training that goes on leaves one more, in
    a folder of its own, which says where it began. Where the disk does not take it, that is said.

    Args:
        config: The config's file.
    """

    priority = 'HIGH'  # after the checks of PreflightHook

    def __init__(self, config: str) -> None:
        self.config = config

    def before_train(self, runner: ReIDRunner) -> None:
        """Write it."""
        if not is_main_process():
            return
        try:
            with new_file(Path(runner.log_dir, RECORD)) as draft:
                draft.write_text(json.dumps(describe_run(runner, self.config), indent=1), 'utf-8')
        except OSError as error:
            runner.logger.warning(f'{RECORD} cannot be written ({error.strerror}).')


def describe_run(runner: ReIDRunner, config: str) -> dict:
    """What is trained on what, by which settings, from which iteration on.

    Args:
        runner: About to train.
        config: The config's file.

    Returns:
        Values that JSON has. ``changes`` are the settings that the config and the command line
        change, of those in the config's ``_base_``: by dotted name the value there and now,
        ``None`` for none; it is ``None`` for a config without one. ``stages`` are pairs of a name
        and the iterations before it.
    """
    model = unwrap(runner.model)
    settings = _settings(runner.cfg.to_dict())
    base = base_settings(config)
    loops = {'training': runner.train_dataloader}
    if runner.val_loop is not None:
        loops['validation'] = runner.val_loop.dataloader
    record = dict(
        command=shlex.join(['python', *sys.argv]),
        config=config,
        method=type(model).__name__,
        seed=runner.seed,
        commit=code_commit(),
        versions=f'mmvireid {__version__}, PyTorch {torch.__version__}',
        device=str(next(model.parameters()).device),
        processes=get_world_size(),
        started=datetime.now().isoformat(' ', 'seconds'),
        begins_at=runner.iter,
        epoch_length=_epoch_length(runner),
        schedule=describe_schedule(runner),
        data={name: describe_data(loader.dataset) for name, loader in loops.items()},
        optimisers=describe_optimisers(runner),
        stages=_stage_begins(runner),
        changes=None if base is None else _changes(base, settings),
        settings=settings,
    )
    return json.loads(json.dumps(record, default=str))


def base_settings(config: str) -> dict[str, Any] | None:
    """The settings that a config builds upon.

    Args:
        config: Its file, of those with a list ``_base_``.

    Returns:
        Values by dotted names; ``None`` if it builds upon nothing.
    """
    files = Config._get_base_files(config) if Path(config).suffix == '.py' else []
    if not files:
        return None
    merged = {}
    for name in files:
        path, _ = Config._get_cfg_path(name, config)
        merged |= Config.fromfile(path, import_custom_modules=False).to_dict()
    fit_loaders(merged)  # as those of the run are
    return _settings(merged)


def _settings(cfg: dict) -> dict[str, Any]:
    """Settings by dotted names: what a runner takes, less what each command sets anew."""
    found = {}
    for name, value in cfg.items():
        if name in _SETTINGS:
            found.update(leaves(value, name))
    return json.loads(json.dumps(found, default=str))  # lists for tuples


def _changes(base: dict, now: dict) -> dict[str, list]:
    names = [name for name in {**base, **now} if base.get(name) != now.get(name)]
    return {name: [base.get(name), now.get(name)] for name in names}


def _epoch_length(runner: ReIDRunner) -> int | None:
    if isinstance(runner.train_loop, IterBasedTrainLoop):
        return None
    return len(runner.train_dataloader)


def _stage_begins(runner: ReIDRunner) -> list[tuple[str, int]]:
    """The names of the stages, and after how many iterations they begin."""
    hook = next((hook for hook in runner.hooks if isinstance(hook, StageHook)), None)
    if hook is None:
        return []
    unit = _epoch_length(runner) or 1 if hook.by_epoch else 1
    begins = [0, *(stage.end for stage in hook.stages[:-1])]
    return [(stage.name, begin * unit) for stage, begin in zip(hook.stages, begins)]
