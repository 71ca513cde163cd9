"""Which run a checkpoint belongs to: the settings that its numbers hang on."""

import json
import re
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.dist import get_world_size
from mmengine.runner import Runner

from mmvireid.errors import InvalidValueError

#: Where the meta of a checkpoint has the settings, as JSON.
SETTINGS = 'settings'
#: Parts of a config that training hangs on; those of validation and test are none.
_PARTS = (
    'model',
    'train_dataloader',
    'optim_wrapper',
    'param_scheduler',
    'train_cfg',
    'randomness',
    'auto_scale_lr',
    'sync_bn',
    'compile',
)
#: Hooks that watch, and change nothing.
_WATCHING = (
    'CheckpointHook',
    'DiscriminatorWatchdogHook',
    'DistSamplerSeedHook',
    'GenerationHook',
    'IterTimerHook',
    'LoggerHook',
    'ParamSchedulerHook',
    'PlainCheckpointHook',
    'PreflightHook',
    'QuietHook',
    'RecoveryHook',
    'ReplacedImagesHook',
    'RuntimeInfoHook',
)


def no_numbers(loader: str) -> str:
    """Settings that no number hangs on: how data are loaded, when is validated.

    Args:
        loader: Pattern of the names of data loaders.

    Returns:
        A pattern of dotted names, in the verbose syntax of regular expressions.
    """
    return rf"""{loader}\.(num_workers|persistent_workers|pin_memory|prefetch_factor|timeout).*
    | {loader}\.dataset(\..*)?\.(data_root|cache|cache_dir|lazy_init|serialize_data)
    | train_cfg\.(val_begin|val_interval|dynamic_intervals).*"""


#: Settings that change no number of a run that goes on.
_SILENT = re.compile(
    no_numbers('train_dataloader') + r' | model\.(.*\.)?init_cfg(\..*)? | model\.flip_test',
    re.VERBOSE,
)
#: Settings that may change on purpose; that they have is said.
_SAID = re.compile(
    r"""train_cfg\.max_epochs
    | hooks\.(?!StageHook|EMAHook|TeacherHook).*
    | compile.* | sync_bn.* | randomness\.deterministic
    | train_dataloader\.dataset(\..*)?\.on_unreadable
    | model\.(.*\.)?(channels_last|weights)""",
    re.VERBOSE,
)


def settings_of(runner: Runner) -> dict[str, Any]:
    """What the numbers of a training run hang on, plain values by dotted names.

    Args:
        runner: With a training set. Its config, the number of processes and the training set
            count.
    """
    cfg = runner.cfg.to_dict() if isinstance(runner.cfg, Config) else dict(runner.cfg)
    dataset = runner.train_dataloader.dataset
    training_set = dict(images=len(dataset), **_plain_metainfo(dataset))
    others = {'training set': training_set, 'processes': get_world_size()}
    return config_settings(cfg, others)


def config_settings(cfg: dict, others: dict) -> dict[str, Any]:
    """What the numbers of a training run hang on, as far as its config says.

    Args:
        cfg: A whole config, as a plain dict.
        others: What counts besides, by name.

    Returns:
        Plain values by dotted names.
    """
    parts = {name: cfg[name] for name in _PARTS if cfg.get(name) is not None}
    hooks = [*(cfg.get('default_hooks') or {}).values(), *(cfg.get('custom_hooks') or ())]
    named = [hook for hook in hooks if isinstance(hook, dict)]
    kinds = {str(hook.get('type')).rpartition('.')[2]: hook for hook in named}
    parts['hooks'] = {name: hook for name, hook in kinds.items() if name not in _WATCHING}
    found = {}
    for name, value in (parts | others).items():
        found.update(leaves(value, name))
    return json.loads(json.dumps(found, default=str))  # lists for tuples, as they will come back


def _plain_metainfo(dataset: Any) -> dict:
    metainfo = getattr(dataset, 'metainfo', {})
    return {
        key: metainfo[key] for key in ('dataset', 'split', 'num_ids', 'trial') if key in metainfo
    }


def leaves(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Values that are no mappings, and not lists of mappings.

    Args:
        value: Of a config.
        where: Its name, which theirs begin with.

    Yields:
        Dotted names and values.

    Example:
        >>> list(leaves(dict(lr=0.1, steps=[dict(end=2), dict(end=4)]), 'plan'))
        [('plan.lr', 0.1), ('plan.steps.0.end', 2), ('plan.steps.1.end', 4)]
    """
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        pairs = enumerate(value)
    else:
        yield where, value
        return
    for key, item in pairs:
        yield from leaves(item, f'{where}.{key}')


def note_settings(runner: Runner, checkpoint: dict) -> None:
    """Write into a checkpoint, in place, whose it is."""
    checkpoint['meta'][SETTINGS] = json.dumps(settings_of(runner), sort_keys=True)


def check_settings(runner: Runner, checkpoint: dict) -> None:
    """Compare the settings of a run with those of the checkpoint that it goes on from.

    Where data lie, how they are loaded, what is logged and saved when, and validation may change.
    A longer training, other hooks and the like are said. Anything else is another run.

    Args:
        runner: Is about to resume.
        checkpoint: As it was read.

    Raises:
        ValueError: If it is of another run; names the settings that differ.
    """
    text = checkpoint.get('meta', {}).get(SETTINGS)
    if text is None:
        runner.logger.warning(
            'The checkpoint does not say with which settings it was trained, as those of older '
            'versions: that they are the same now is not checked.'
        )
        return
    refused, said = _differences(json.loads(text), settings_of(runner))
    if said:
        runner.logger.warning(f'Settings that differ from the run so far: {"; ".join(said)}.')
    if refused:
        more = f', and {len(refused) - 5} more' if len(refused) > 5 else ''
        raise InvalidValueError(
            f'resume: the checkpoint is of another run: {"; ".join(refused[:5])}{more}. Go on with '
            'the settings that it had, or begin a new run in another work dir (with its weights: '
            '`load_from`).'
        )


def _differences(then: dict, now: dict) -> tuple[list[str], list[str]]:
    """Differences that are refused, and those that are only said."""
    refused, said = [], []
    for name in sorted(then.keys() | now.keys()):
        if then.get(name) == now.get(name) or _SILENT.fullmatch(name):
            continue
        target = said if _SAID.fullmatch(name) else refused
        target.append(f'`{name}` is {now.get(name)!r}, it was {then.get(name)!r}')
    return refused, said
