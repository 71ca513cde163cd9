"""Reading checkpoints safely, writing them plain, and comparing them with a model.

A checkpoint is data, never code: everything is read with torch's ``weights_only=True``. Our own
files need no exception from that, because :func:`to_plain` writes nothing but tensors and plain
Python values. Files of stock MMEngine name a few more classes; these are answered with inert
stand-ins for the duration of one read, and everything else is refused.
"""

import os.path as osp
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pickle import UnpicklingError
from typing import Any, NoReturn
from urllib.parse import urlparse

import numpy as np
import torch
import torchvision
from mmengine import dist
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor

from mmvireid.errors import InvalidValueError, MissingFileError, Refusal, RunStoppedError
from mmvireid.storage.file_kinds import foreign_kind
from mmvireid.storage.shipped_weights import SHIPPED, shipped_file

_HISTORY_KEYS = {'log_history', 'count_history'}
#: In what torch says of a pickle: the name that it asks for, and what tells damage from intent.
_GLOBAL = re.compile(r'GLOBAL (\S+)')
_DAMAGED = re.compile(r'Unsupported operand|String is too long|Can only append|persistent')


class _HistoryShell:
    """Stands in for MMEngine's ``HistoryBuffer`` while a stock file is read.

    The real class merges callables from the file into a class-level table; this one keeps the
    two arrays only.
    """

    def __setstate__(self, state: dict) -> None:
        self.log_history = state['_log_history']
        self.count_history = state['_count_history']


def _inert_getattr(*_: Any) -> None:
    """Stands in for ``getattr``, which a stock file calls on ``HistoryBuffer``'s statistics."""


def _stock_globals() -> list:
    """What stock MMEngine files name besides tensors, as safe stand-ins."""
    dtypes = [type(np.dtype(kind)) for kind in ('f8', 'f4', 'i8', 'i4', 'u1', '?', 'U1')]
    found = [
        (_HistoryShell, 'mmengine.logging.history_buffer.HistoryBuffer'),
        (_inert_getattr, 'builtins.getattr'),
        np.ndarray,
        np.dtype,
        *dtypes,
    ]
    multiarray = np._core.multiarray if hasattr(np, '_core') else np.core.multiarray
    for module in ('numpy._core.multiarray', 'numpy.core.multiarray'):
        found.append((multiarray._reconstruct, f'{module}._reconstruct'))
        found.append((multiarray.scalar, f'{module}.scalar'))
    return found


@contextmanager
def _refusals(source: str) -> Iterator[None]:
    """Say in one line why a file cannot be read; never how to make torch read it all the same."""
    try:
        yield
    except UnpicklingError as error:
        if _DAMAGED.search(str(error)):
            _refuse_as_damaged(source, error)
        name = _GLOBAL.search(str(error))
        raise InvalidValueError(
            f'load_checkpoint: {source!r} is refused, because it holds more than weights and plain '
            f'values{f" ({name[1]})" if name else ""} and could run code when read. Only open '
            'files whose origin you know; convert them to a plain state dict elsewhere.'
        ) from error
    except Exception as error:  # of a damaged pickle, torch's reader raises whatever comes
        if isinstance(error, Refusal):
            raise
        _refuse_as_damaged(source, error)


def _refuse_as_damaged(source: str, error: Exception) -> NoReturn:
    reason = 'its content makes no sense'
    if not isinstance(error, UnpicklingError) and str(error):  # PyTorch adds advice to those
        reason = getattr(error, 'strerror', None) or str(error).splitlines()[0]
    raise InvalidValueError(
        f'load_checkpoint: {source!r} is not a readable checkpoint, it may be cut short ({reason}).'
    ) from error


def _refuse_other_kinds(path: str, source: str) -> None:
    kind = foreign_kind(path)
    if kind is not None:
        raise InvalidValueError(
            f'load_checkpoint: {source!r} is no checkpoint but {kind}. Expected a file that torch '
            'has saved: fetch it again.'
        )


def _read_local(path: str, map_location: Any, source: str | None = None) -> Any:
    path = osp.expanduser(path)
    source = source or path
    if not osp.exists(path):
        raise MissingFileError(f'load_checkpoint: `path` is {path!r}, no such file.')
    with _refusals(source):
        _refuse_other_kinds(path, source)
        with torch.serialization.safe_globals(_stock_globals()):
            return torch.load(path, map_location=map_location, weights_only=True)


def _torchvision_url(name: str) -> str:
    """URL of ``resnet50`` or ``resnet50.imagenet1k_v2``; version 1 unless said otherwise."""
    model, _, version = name.partition('.')
    try:
        weights = torchvision.models.get_model_weights(model)
        return weights[(version or 'imagenet1k_v1').upper()].url
    except (ValueError, KeyError) as error:
        raise InvalidValueError(
            f"load_checkpoint: 'torchvision://{name}' names no torchvision weights, expected for "
            "example 'torchvision://resnet50' or 'torchvision://resnet50.imagenet1k_v2'."
        ) from error


def _read_url(url: str, map_location: Any, key: str) -> Any:
    def fetch() -> Any:
        try:
            return torch.hub.load_state_dict_from_url(
                url, map_location=map_location, check_hash=True, weights_only=True, progress=False
            )
        except Exception as error:
            cache = osp.join(torch.hub.get_dir(), 'checkpoints', osp.basename(urlparse(url).path))
            if not osp.isfile(cache):
                raise RunStoppedError(_offline(url, key, cache, error)) from error
        # it was had, and is read as any other file, or refused like one
        return _read_local(cache, map_location, source=f'{url} (kept as {cache})')

    checkpoint = fetch() if dist.get_rank() == 0 else None
    dist.barrier()
    return checkpoint if checkpoint is not None else fetch()


def _offline(url: str, key: str, cache: str, error: Exception) -> str:
    remedy = f'set `{key}` to a local file'
    if key.endswith('init_cfg'):
        remedy = (
            f'set `{key}.checkpoint` to a local file, or `{key}=None` to start from random weights'
        )
    return (
        f'load_checkpoint: {url} cannot be downloaded ({error}). Put the file at {cache}, or '
        f'{remedy}.'
    )


def load_checkpoint(
    path: str, map_location: Any = 'cpu', key: str = 'model.backbone.init_cfg'
) -> Any:
    """Read a checkpoint without running any code in it.

    Args:
        path: A local file, an ``http(s)://`` address, ``torchvision://<model>[.<weights>]``, or
            ``mmvireid://<name>``, weights that come with the package.
        map_location: As in :func:`torch.load`.
        key: The config key that named ``path``, or the ``init_cfg`` that it stands in, for the
            error message.

    Returns:
        What the file holds: a state dict, or a dict with one under ``'state_dict'``. MMEngine's
        ``meta['config']`` is dropped, because ``Runner.resume`` would execute it.

    Raises:
        FileNotFoundError: If a local file does not exist.
        ValueError: If the file holds anything that could run code, or is cut short, or the
            address is of another kind.
        RuntimeError: If a download fails; the message names the config key to change.
    """
    if path.startswith(('http://', 'https://')):
        checkpoint = _read_url(path, map_location, key)
    elif path.startswith('torchvision://'):
        url = _torchvision_url(path.removeprefix('torchvision://'))
        checkpoint = _read_url(url, map_location, key)
    elif path.startswith(SHIPPED):
        checkpoint = _read_local(str(shipped_file(path)), map_location, source=path)
    elif '://' in path:
        raise InvalidValueError(
            f'load_checkpoint: `path` is {path!r}, expected a local file, http(s)://, '
            'torchvision:// or mmvireid://. Download the file first.'
        )
    else:
        checkpoint = _read_local(path, map_location)
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get('meta'), dict):
        checkpoint['meta'].pop('config', None)
    return checkpoint


def with_weights(checkpoint: Any, source: str) -> dict:
    """A checkpoint with its weights under ``state_dict``, however a file holds them.

    Weights are taken alone, or from a dict that has them under ``state_dict``; the prefix
    ``module.`` of a model that was saved inside its wrapper for several processes is dropped. With
    averaged weights (``EMAHook``) it is these that stand there.

    Args:
        checkpoint: What :func:`load_checkpoint` has read.
        source: Where it comes from, for the message.

    Raises:
        ValueError: If there are no weights where they should be; says what there is.
    """
    whole = isinstance(checkpoint, dict) and 'state_dict' in checkpoint
    weights = checkpoint['state_dict'] if whole else checkpoint
    if not isinstance(weights, dict):
        what = f'a {type(weights).__name__}' + (' under `state_dict`' if whole else '')
        raise InvalidValueError(_no_weights(source, what))
    others = [
        str(key)
        for key, value in weights.items()
        if not (isinstance(key, str) and (torch.is_tensor(value) or key.endswith('_extra_state')))
    ]
    if others:
        listed = ', '.join(others[:5]) + (', ...' if len(others) > 5 else '')
        raise InvalidValueError(_no_weights(source, f'a dict with other things ({listed})'))
    weights = {key.removeprefix('module.'): value for key, value in weights.items()}
    return {**(checkpoint if whole else {}), 'state_dict': weights}


def _no_weights(source: str, what: str) -> str:
    return (
        f'with_weights: {source!r} holds {what}, expected a state dict (names and tensors), or a '
        'dict that has one under `state_dict`.'
    )


def load_weights(path: str, key: str, map_location: Any = 'cpu') -> dict[str, Tensor]:
    """The weights of a file: what every command and every network reads them with.

    Args:
        path: As in :func:`load_checkpoint`.
        key: What has named ``path``, for error messages.
        map_location: As in :func:`torch.load`.

    Returns:
        A state dict.

    Raises:
        FileNotFoundError, ValueError, RuntimeError: As :func:`load_checkpoint` and
            :func:`with_weights`.
    """
    return with_weights(load_checkpoint(path, map_location, key), path)['state_dict']


def register_safe_loader() -> None:
    """Make MMEngine read every checkpoint as :func:`load_weights` does.

    Of MMEngine's loaders, those for addresses unpickle freely; all of them are replaced.
    """

    def load_from_mmvireid(filename: str, map_location: Any = None) -> dict:
        return with_weights(load_checkpoint(filename, map_location, key='load_from'), filename)

    CheckpointLoader.register_scheme(
        list(CheckpointLoader._schemes), load_from_mmvireid, force=True
    )


def _convert(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """Apply ``leaf`` to everything in nested dicts, lists and tuples; drop callables."""
    value = leaf(value)
    if isinstance(value, dict):
        items = {key: _convert(item, leaf) for key, item in value.items()}
        # update, because a Counter (the milestones of a schedule) would count pairs
        converted = type(value)()
        converted.update({key: item for key, item in items.items() if not callable(item)})
        return converted
    if isinstance(value, (list, tuple)):
        return type(value)(_convert(item, leaf) for item in value)
    return value


def _plain_leaf(value: Any) -> Any:
    if isinstance(value, (HistoryBuffer, _HistoryShell)):
        log, count = value.data if isinstance(value, HistoryBuffer) else vars(value).values()
        return dict(log_history=torch.as_tensor(log), count_history=torch.as_tensor(count))
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    return value.item() if isinstance(value, np.generic) else value


def _history_leaf(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == _HISTORY_KEYS:
        log, count = value['log_history'], value['count_history']  # wherever the file was read to
        return HistoryBuffer(log.numpy(force=True), count.numpy(force=True))
    return value


def to_plain(checkpoint: dict) -> None:
    """Turn a checkpoint, in place, into tensors and plain Python values.

    Log histories become pairs of tensors, numpy values Python's, and callables (some learning
    rate schedules keep one) are left out: the schedule that is built from the config has them.
    """
    for key in set(checkpoint) - {'state_dict'}:
        checkpoint[key] = _convert(checkpoint[key], _plain_leaf)


def from_plain(checkpoint: dict) -> None:
    """Give a checkpoint, in place, the log histories back that :func:`to_plain` took apart.

    Does the same to a stock MMEngine file that was read through stand-ins.
    """
    if 'message_hub' in checkpoint:
        plain = _convert(checkpoint['message_hub'], _plain_leaf)
        checkpoint['message_hub'] = _convert(plain, _history_leaf)


def check_state_dict(
    expected: Mapping[str, Tensor], given: Mapping[str, Tensor], source: str
) -> None:
    """Check that weights fit a model: same names, same shapes.

    Args:
        expected: The model's state dict.
        given: The weights to be loaded.
        source: Where they come from, for the message.

    Raises:
        ValueError: If anything is missing, left over, or of another shape; names the first few.
    """
    problems = {
        'missing': sorted(set(expected) - set(given)),
        'not in the model': sorted(set(given) - set(expected)),
        'of another shape': [
            f'{key} {tuple(given[key].shape)} instead of {tuple(expected[key].shape)}'
            for key in expected
            if key in given and expected[key].shape != given[key].shape
        ],
    }
    found = {kind: keys for kind, keys in problems.items() if keys}
    if not found:
        return
    parts = [
        f'{len(keys)} {kind}: {", ".join(keys[:3])}{", ..." if len(keys) > 3 else ""}'
        for kind, keys in found.items()
    ]
    raise InvalidValueError(
        f'check_state_dict: {source} does not fit the model ({"; ".join(parts)}). Use the config '
        'that the checkpoint was trained with, with the same architecture and `num_ids`.'
    )
