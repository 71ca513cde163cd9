"""From a command line to a config that fits this machine: shared by train.py and test.py."""

import argparse
import os
import os.path as osp
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.config import Config

from mmvireid.commands import wants_traceback
from mmvireid.datasets.loading.worker_failure import deaths_awaited, worker_failure
from mmvireid.engine.hooks.checkpoint_hook import newest_checkpoint
from mmvireid.errors import InvalidValueError, MissingFileError, Refusal
from mmvireid.storage import damage_of
from mmvireid.storage.files import disk_failure, probe_folder
from mmvireid.version import __version__

from .options import merge_options
from .work_dir_lock import process_rank

_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


@contextmanager
def clear_errors(program: str) -> Iterator[None]:
    """End the program with one line where this package refused something, or a worker or disk died.

    Any other error keeps its traceback, wherever it was raised: it may be a bug. With the
    command's ``--traceback`` all do.

    Args:
        program: Name of the command, put before the message.
    """
    try:
        with deaths_awaited():
            yield
    except Exception as error:
        message = worker_failure(error) or _refusal(error) or disk_failure(error)
        if message is None or wants_traceback():
            raise
        raise SystemExit(f'{program}: {message}') from error


def _refusal(error: Exception) -> str | None:
    """The message of an error that this package has raised on purpose, ``None`` for any other."""
    if not isinstance(error, Refusal):
        return None
    return ' '.join([str(error), *getattr(error, '__notes__', ())])


def prepare_config(args: argparse.Namespace) -> Config:
    """Read the config of a run and settle what depends on the command line and the machine.

    Args:
        args: From :func:`parse_run_args`.

    Returns:
        The config: options merged, ``launcher`` and ``work_dir`` set, no more data workers than
        cores, pinned memory only where there is a GPU.

    Raises:
        FileNotFoundError: If the config file does not exist.
        ValueError: If the work dir cannot be written.
    """
    cfg = read_config(args.config, args.cfg_options)
    cfg.launcher = args.launcher
    cfg.work_dir = (
        args.work_dir or cfg.get('work_dir') or osp.join('work_dirs', Path(args.config).stem)
    )
    check_loops(cfg)
    check_writable(cfg.work_dir)
    fit_loaders(cfg)
    return cfg


def read_config(path: str, options: dict | None = None) -> Config:
    """Read a config, change it, and check what is to be built from it.

    The current folder is put on the import path, so that ``custom_imports`` of a config finds
    ``projects.<name>``.

    Args:
        path: The file.
        options: What overrides its values, by dotted names; see
            :func:`~mmvireid.engine.runner.options.merge_options`.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError, KeyError: If an option or a key of the config is not what it should be.
    """
    if not osp.isfile(path):
        raise MissingFileError(f'read_config: `config` is {path!r}, no such file.')
    find_plugins()
    cfg = Config.fromfile(path)
    drop_helpers(cfg)
    merge_options(cfg, options)
    return cfg


def drop_helpers(cfg: Config) -> None:
    """Take the names with an underscore off a config's top level, in place.

    Config files hand them to each other. Nothing else reads them, but they would stand in every
    log, and take a second to be formatted.

    Args:
        cfg: Any config.
    """
    for name in [name for name in cfg if name.startswith('_')]:
        cfg.pop(name)


def find_plugins() -> None:
    """Put the current folder on the import path, where ``projects.<name>`` is."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


def forget_weights(part: dict) -> None:
    """Let every network of a model's config start from random weights, in place.

    Args:
        part: The model's config, or that of a part.

    Example:
        >>> model = dict(backbone=dict(depth=50, init_cfg=dict(type='Pretrained')))
        >>> forget_weights(model)
        >>> model
        {'backbone': {'depth': 50}}
    """
    part.pop('init_cfg', None)
    if 'weights' in part:  # of a network inside a loss
        part['weights'] = 'random'
    for value in part.values():
        if isinstance(value, dict):
            forget_weights(value)


def use_autocast(optim_wrapper: dict) -> None:
    """Let every optimiser of a config work with bf16 autocast, in place.

    Args:
        optim_wrapper: The config's ``optim_wrapper``, of one optimiser or of several.

    Example:
        >>> optimisers = dict(critic=dict(modules=['critic']), constructor='...')
        >>> use_autocast(optimisers)
        >>> optimisers['critic']['type']
        'AutocastOptimWrapper'
    """
    entries = [entry for entry in optim_wrapper.values() if isinstance(entry, dict)]
    for entry in [optim_wrapper] if 'optimizer' in optim_wrapper else entries:
        entry['type'] = 'AutocastOptimWrapper'


def package_version() -> str:
    """Which copy of the package runs.

    Example:
        >>> package_version().startswith(f'mmvireid {__version__} from /')
        True
    """
    return f'mmvireid {__version__} from {Path(__file__).resolve().parents[2]}'


def code_commit(folder: str | Path = Path(__file__).parent) -> str:
    """Which state of the code runs.

    Args:
        folder: In the clone.

    Returns:
        The commit, shortened; a ``+`` means that files were changed since. ``'unknown'`` where
        the code is no clone.
    """
    git, quiet = ['git', '-C', str(folder)], dict(capture_output=True, text=True, check=True)
    try:
        # an installed copy may lie in the clone of something else
        subprocess.run([*git, 'ls-files', '--error-unmatch', '.'], **quiet)
        head = subprocess.run([*git, 'rev-parse', '--short=12', 'HEAD'], **quiet)
        changed = subprocess.run([*git, 'status', '--porcelain', '-uno'], **quiet)
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'
    return head.stdout.strip() + '+' * bool(changed.stdout.strip())


def fit_loaders(cfg: Config | dict) -> None:
    """Cap the data workers at the number of cores, and pin memory only for a GPU."""
    for name in _LOADERS:
        loader = cfg.get(name)
        if loader is not None:
            loader['num_workers'] = min(loader.get('num_workers', 0), os.cpu_count() or 1)
            loader['pin_memory'] = torch.cuda.is_available()
            if loader['num_workers'] == 0:
                loader['persistent_workers'] = False


def check_loops(cfg: Config) -> None:
    """Check that what validation and test need is there, or nothing of it.

    Raises:
        ValueError: If not; names the keys.
    """
    for loop in ('val', 'test'):
        keys = [f'{loop}_dataloader', f'{loop}_cfg', f'{loop}_evaluator']
        given = [key for key in keys if cfg.get(key) is not None]
        if given and given != keys:
            missing = ' and '.join(f'`{key}`' for key in keys if key not in given)
            raise InvalidValueError(
                f'prepare_config: {missing} is None, expected {", ".join(keys)} all to be there, '
                'or all None.'
            )


def check_writable(work_dir: str) -> None:
    """Make the work dir, and check that files can be written there.

    Raises:
        ValueError: If not; names the folder.
    """
    try:
        probe_folder(work_dir)
    except OSError as error:
        raise InvalidValueError(
            f'prepare_config: `work_dir` is {work_dir!r} and cannot be written '
            f'({error.strerror}), expected a writable folder (--work-dir DIR).'
        ) from error


def settle_resume(cfg: Config, args: argparse.Namespace) -> str | None:
    """Decide what a training run goes on from, and take that out of its config.

    The config that is left in the work dir is then one for new runs, too.

    Args:
        cfg: The run's config, changed in place.
        args: Its command line, with ``resume``.

    Returns:
        A checkpoint, ``None`` for a run that begins.

    Raises:
        ValueError: If the config file says ``resume=True`` but the command line does not; and as
            :func:`resume_from`.
    """
    asked = args.resume
    if asked is None and cfg.get('resume') and 'resume' in (args.cfg_options or {}):
        asked = cfg.get('load_from') or 'auto'
    checkpoint = resume_from(asked, cfg.work_dir, says=process_rank(args.launcher) == 0)
    if checkpoint is None and cfg.get('resume'):
        raise InvalidValueError(
            f'settle_resume: `resume` is True in {args.config} (with `load_from` '
            f'{cfg.get("load_from")!r}), as a resumed run may have left it there, expected False. '
            'Say --resume [PATH] to go on from a checkpoint; for a new run set resume=False and '
            'load_from=None.'
        )
    cfg.resume = False
    if process_rank(args.launcher) != 0:
        return checkpoint
    if checkpoint is None and asked is not None:
        print(f'train: no checkpoint in {cfg.work_dir} yet, training starts from scratch')
    if asked is None and newest_checkpoint(cfg.work_dir) is not None:
        print(
            f'train: {cfg.work_dir} has checkpoints of an earlier run, which this one will '
            'overwrite; --resume would go on from them.'
        )
    return checkpoint


def resume_from(resume: str | None, work_dir: str, says: bool = True) -> str | None:
    """Resolve ``--resume`` to a whole checkpoint.

    With ``'auto'`` it is the one that ``last_checkpoint`` names, by its file name alone, so that a
    work dir can be moved or copied; if that one is damaged or gone, the newest other one that is
    whole, which is said.

    Args:
        resume: A file, ``'auto'`` or ``None``.
        work_dir: Where ``'auto'`` looks.
        says: Whether this process is the one that says which are damaged.

    Returns:
        The file; ``None`` without ``resume``, or if the work dir has no checkpoint yet.

    Raises:
        FileNotFoundError: If the file named by ``resume`` does not exist.
        ValueError: If it is damaged, or all checkpoints of the work dir are.
    """
    if resume is None:
        return None
    candidates = _newest_first(Path(work_dir)) if resume == 'auto' else [Path(resume)]
    for path in candidates:
        damage = damage_of(path)
        if damage is None:
            return str(path)
        if says:
            print(f'{path} cannot be resumed from: {damage}.', file=sys.stderr)
    if not candidates:
        return None
    if not any(path.is_file() for path in candidates):
        raise MissingFileError(f'resume_from: `resume` is {str(candidates[0])!r}, no such file.')
    raise InvalidValueError(
        f'resume_from: `resume` is {resume!r}, expected a whole checkpoint; damaged: '
        f'{", ".join(map(str, candidates))}.'
    )


def _newest_first(work_dir: Path) -> list[Path]:
    """Checkpoints of a work dir: the one that the pointer names, then the others by age.

    The best one is not among them: it has no optimisers.
    """
    found = [path for path in work_dir.glob('*_*.pth') if not path.name.startswith('best_')]
    others = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
    named = newest_checkpoint(work_dir)
    return others if named is None else [named, *(path for path in others if path != named)]


def run_tool(script: Path, *arguments: str) -> None:
    """Run one of the commands in a process of its own, as a user would, and say so.

    Args:
        script: Path of the command's file.
        *arguments: Its command line.

    Raises:
        SystemExit: With the command's exit status, if it fails.
    """
    print(f'\n$ python {script} {" ".join(arguments)}', flush=True)
    finished = subprocess.run([sys.executable, str(script), *arguments], check=False)
    if finished.returncode:
        raise SystemExit(finished.returncode)
