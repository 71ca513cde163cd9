"""Reading checkpoints safely, writing them plain, and comparing them with a model.

A checkpoint is data, never code: everything is read with torch's ``weights_only=True``. Our own
files need no exception from that, because :func:`to_plain` writes nothing but tensors and plain
Python values. Files of stock MMEngine name a few more classes; these are answered with inert
stand-ins for the duration of one read, and everything else is refused.
"""

import os.path as osp
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pickle import UnpicklingError
from typing import Any
from urllib.error import URLError
from urllib.parse import urlparse

import numpy as np
import torch
import torchvision
from mmengine import dist
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor

from mmvireid.errors import InvalidValueError, MissingFileError, RunStoppedError

_HISTORY_KEYS = {'log_history', 'count_history'}


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
def _code_refused(source: str) -> Iterator[None]:
    """Say in one line what torch says in many, when a file holds more than weights."""
    try:
        yield
    except UnpicklingError as error:
        raise InvalidValueError(
            f'load_checkpoint: {source!r} is refused, because it holds more than weights and plain '
            f'values and could run code when read ({str(error).splitlines()[0]}). Only open '
            'files whose origin you know; convert them to a plain state dict elsewhere.'
        ) from error


def _read_local(path: str, map_location: Any) -> Any:
    path = osp.expanduser(path)
    if not osp.isfile(path):
        raise MissingFileError(f'load_checkpoint: `path` is {path!r}, no such file.')
    try:
        with _code_refused(path), torch.serialization.safe_globals(_stock_globals()):
            return torch.load(path, map_location=map_location, weights_only=True)
    except (RuntimeError, OSError, EOFError) as error:
        raise InvalidValueError(
            f'load_checkpoint: {path!r} is not a readable checkpoint, it may be cut short '
            f'({str(error).splitlines()[0] if str(error) else type(error).__name__}).'
        ) from error


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
        with _code_refused(url):
            return torch.hub.load_state_dict_from_url(
                url, map_location=map_location, check_hash=True, weights_only=True, progress=False
            )

    try:
        checkpoint = fetch() if dist.get_rank() == 0 else None
        dist.barrier()
        return checkpoint if checkpoint is not None else fetch()
    except (URLError, OSError) as error:
        cache = osp.join(torch.hub.get_dir(), 'checkpoints', osp.basename(urlparse(url).path))
        remedy = f'set `{key}` to a local file'
        if key.endswith('init_cfg'):
            remedy = (
                f'set `{key}.checkpoint` to a local file, or `{key}=None` to start from random '
                'weights'
            )
        raise RunStoppedError(
            f'load_checkpoint: {url} cannot be downloaded ({error}). Put the file at {cache}, or '
            f'{remedy}.'
        ) from error


def load_checkpoint(
    path: str, map_location: Any = 'cpu', key: str = 'model.backbone.init_cfg'
) -> Any:
    """Read a checkpoint without running any code in it.

    Args:
        path: A local file, an ``http(s)://`` address, or ``torchvision://<model>[.<weights>]``.
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
    elif '://' in path:
        raise InvalidValueError(
            f'load_checkpoint: `path` is {path!r}, expected a local file, http(s):// or '
            'torchvision://. Download the file first.'
        )
    else:
        checkpoint = _read_local(path, map_location)
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get('meta'), dict):
        checkpoint['meta'].pop('config', None)
    return checkpoint


def register_safe_loader() -> None:
    """Make MMEngine read every checkpoint through :func:`load_checkpoint`.

    Of MMEngine's loaders, those for addresses unpickle freely; all of them are replaced.
    """

    def load_from_mmvireid(filename: str, map_location: Any = None) -> Any:
        return load_checkpoint(filename, map_location, key='load_from')

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
        return HistoryBuffer(value['log_history'].numpy(), value['count_history'].numpy())
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
