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
from mmengine.config import Config, DictAction

from mmvireid.datasets.worker_failure import deaths_awaited, worker_failure
from mmvireid.engine.hooks.checkpoint_hook import newest_checkpoint
from mmvireid.errors import InvalidValueError, MissingFileError, Refusal
from mmvireid.utils import damage_of
from mmvireid.utils.files import disk_failure

_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


@contextmanager
def clear_errors(program: str) -> Iterator[None]:
    """End the program with one line where this package refused something, or a worker or disk died.

    Any other error keeps its traceback, wherever it was raised: it may be a bug.

    Args:
        program: Name of the command, put before the message.
    """
    try:
        with deaths_awaited():
            yield
    except Exception as error:
        message = worker_failure(error) or _refusal(error) or disk_failure(error)
        if message is None:
            raise
        raise SystemExit(f'{program}: {message}') from error


def _refusal(error: Exception) -> str | None:
    """The message of an error that this package has raised on purpose, ``None`` for any other."""
    if not isinstance(error, Refusal):
        return None
    return ' '.join([str(error), *getattr(error, '__notes__', ())])


def parse_run_args(parser: argparse.ArgumentParser, argv: list[str] | None) -> argparse.Namespace:
    """Add the arguments that every run has, and parse.

    Args:
        parser: Has the command's own arguments; ``config`` comes first.
        argv: Command line, ``None`` for the process's own.
    """
    parser.add_argument('--work-dir', help='where logs and checkpoints go (work_dirs/<config>)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override config values, e.g. optim_wrapper.optimizer.lr=0.05 train_cfg.max_epochs=10',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    os.environ.setdefault('MKL_NUM_THREADS', '1')  # MMEngine would set it and warn about it
    return args


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
    check_writable(cfg.work_dir)
    fit_loaders(cfg)
    return cfg


def read_config(path: str, options: dict | None = None) -> Config:
    """Read a config.

    The current folder is put on the import path, so that ``custom_imports`` of a config finds
    ``projects.<name>``.

    Args:
        path: The file.
        options: What overrides its values, by dotted names.

    Raises:
        FileNotFoundError: If the file does not exist.
    """
    if not osp.isfile(path):
        raise MissingFileError(f'read_config: `config` is {path!r}, no such file.')
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(options or {})
    return cfg


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


def fit_loaders(cfg: Config) -> None:
    """Cap the data workers at the number of cores, and pin memory only for a GPU."""
    for name in _LOADERS:
        loader = cfg.get(name)
        if loader is not None:
            loader['num_workers'] = min(loader.get('num_workers', 0), os.cpu_count() or 1)
            loader['pin_memory'] = torch.cuda.is_available()
            if loader['num_workers'] == 0:
                loader['persistent_workers'] = False


def check_writable(work_dir: str) -> None:
    """Make the work dir, and check that files can be written there.

    Raises:
        ValueError: If not; names the folder.
    """
    probe = Path(work_dir, f'.writable_{os.getpid()}')
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(bytes(4096))  # a full disk takes empty files
        probe.unlink()
    except OSError as error:
        raise InvalidValueError(
            f'prepare_config: `work_dir` is {work_dir!r} and cannot be written '
            f'({error.strerror}), expected a writable folder (--work-dir DIR).'
        ) from error


def resume_from(resume: str | None, work_dir: str) -> str | None:
    """Resolve ``--resume`` to a whole checkpoint.

    With ``'auto'`` it is the one that ``last_checkpoint`` names, by its file name alone, so that a
    work dir can be moved or copied; if that one is damaged or gone, the newest other one that is
    whole, which is said.

    Args:
        resume: A file, ``'auto'`` or ``None``.
        work_dir: Where ``'auto'`` looks.

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
