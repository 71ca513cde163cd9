"""Options of a command line that change a config: what they may hit, and what they mean."""

import difflib
import inspect
from collections.abc import Iterator
from typing import Any, NoReturn

from mmengine.config import Config, ConfigDict
from mmengine.runner import EpochBasedTrainLoop
from torch.utils.data import DataLoader

from mmvireid.errors import InvalidValueError, UnknownNameError
from mmvireid.models.base import Stage

from .config_check import (
    READ,
    SPECIAL,
    Arguments,
    arguments_for,
    arguments_of,
    check_config,
    fits,
    is_registered,
    places_in,
    spell,
)

#: Keys at the top level that stand for all of the same name: in what, ``None`` for anything.
SHARED = dict(data_root=None, num_ids='model')
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
_LOADER_PARTS = ('dataset', 'sampler', 'batch_sampler', 'worker_init_fn', 'collate_fn')
_LEARNING_RATE = ('lr_mult', 'decay_mult')
#: What mappings without a `type` may hold, by their name; `None` for anything.
_PLAIN = dict(
    custom_keys=None,
    default_hooks=None,
    dist_cfg=None,
    compile=None,
    custom_imports=('imports', 'allow_failed_imports'),
    env_cfg=('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'),
    mp_cfg=('mp_start_method', 'opencv_num_threads'),
    plugins=('stem', 'layer1', 'layer2', 'layer3', 'layer4'),
    randomness=('seed', 'diff_rank_seed', 'deterministic'),
    clip_grad=('max_norm', 'norm_type', 'error_if_nonfinite', 'clip_value'),
    paramwise_cfg=(
        'custom_keys',
        'bias_lr_mult',
        'bias_decay_mult',
        'norm_decay_mult',
        'flat_decay_mult',
        'dwconv_decay_mult',
        'bypass_duplicate',
    ),
    train_cfg=('by_epoch', *arguments_of(EpochBasedTrainLoop), 'max_iters'),
    val_cfg=('fp16',),
    test_cfg=('fp16',),
    auto_scale_lr=('enable', 'base_batch_size'),
    **dict.fromkeys(_LOADERS, (*arguments_of(DataLoader), *_LOADER_PARTS)),
)
#: The same for entries of a list or mapping of that name.
_ENTRIES = dict(
    custom_keys=_LEARNING_RATE,
    stages=tuple(Stage.__dataclass_fields__),
    blocks=('num_ids', 'num_instances', 'replace'),
)
#: What must be there before something below it can be set.
_WHOLE = (*_LOADERS, 'model', 'optim_wrapper', 'val_evaluator', 'test_evaluator')
_KINDS = ((bool, 'True or False'), ((int, float), 'a number'), (str, 'a string'),
          ((list, tuple), 'a list'), (dict, 'a mapping'))  # fmt: skip
#: Stands for a value that a config does not have yet.
_NEW = object()


def merge_options(cfg: Config, options: dict | None = None) -> None:
    """Change values of a config, in place, and check what is to be built from it.

    An option must hit a key that the config has, or an argument of the class that the mapping
    builds. ``data_root`` stands for the key of every data set (also where a config file has it at
    its top level), unless they lie in several folders, and ``num_ids`` for that of every part of
    the model.

    Args:
        cfg: Any config.
        options: New values by dotted names.

    Raises:
        KeyError: If an option hits nothing; names the nearest keys.
        ValueError: If a value is of another kind than the one that is there, or ``data_root`` would
            be that of different data sets; and as
            :func:`~mmvireid.engine.runner.config_check.check_config`.

    Example:
        >>> cfg = Config(dict(train_dataloader=dict(dataset=dict(data_root='data/sysu_mm01'))))
        >>> merge_options(cfg, dict(data_root='/disk/sysu'))
        >>> cfg.train_dataloader.dataset.data_root
        '/disk/sysu'
    """
    options = dict(options or {})
    for name, value in options.items():
        for below, item in _flatten(cfg, name, value):
            _check_option(cfg, below, item, options)
    if 'data_root' not in options and 'data_root' in cfg:
        options = dict(data_root=cfg.pop('data_root'), **options)
    for key in [key for key in SHARED if key in options]:
        _share(cfg, key, options.pop(key))
    for name, value in options.items():
        if isinstance(value, dict) and _current(cfg, name) is None:
            value = dict(value, _delete_=True)  # MMEngine's word for what replaces no mapping
        if isinstance(value, int) and isinstance(_current(cfg, name), float):
            value = float(value)  # a class may insist on it
        cfg.merge_from_dict({name: ConfigDict(value=value).value})
    check_config(cfg)


def _share(cfg: Config, key: str, value: Any) -> None:
    """Set a key in all parts of its kind."""
    names = [SHARED[key]] if SHARED[key] else [*cfg]
    homes = {
        where: part
        for name in names
        for where, part in places_in(cfg.get(name), name)
        if isinstance(part, dict) and key in part
    }
    if not homes:
        raise UnknownNameError(
            f'merge_options: `{key}` is {value!r}, expected a config in which something has this '
            'key.'
        )
    if key == 'data_root' and len({str(part[key]) for part in homes.values()}) > 1:
        listed = ', '.join(f'`{where}.{key}` ({part[key]})' for where, part in homes.items())
        raise InvalidValueError(
            f'merge_options: `{key}` is {value!r}, expected a folder for each of several data '
            f'sets: {listed}.'
        )
    for part in homes.values():
        part[key] = value
    if key == 'num_ids' and key in cfg:  # of config files, which take it from there
        cfg[key] = value


def _current(cfg: Config, name: str) -> Any:
    """What a config has under a dotted name, ``_NEW`` if nothing."""
    node = cfg._cfg_dict
    for part in name.split('.'):
        if isinstance(node, list) and part.isdigit():
            node = node[int(part)] if int(part) < len(node) else _NEW
        else:
            node = node.get(part, _NEW) if isinstance(node, dict) else _NEW
    return node


def _flatten(cfg: Config, name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """An option, or what it changes in a mapping that is there."""
    is_part = isinstance(value, dict) and '_delete_' not in value
    if is_part and isinstance(_current(cfg, name), dict):
        for key, item in value.items():
            yield from _flatten(cfg, f'{name}.{key}', item)
    else:
        yield name, value


def _check_option(cfg: Config, name: str, value: Any, options: dict) -> None:
    """Raise unless an option hits something, of its own kind."""
    node, parts, hint = cfg._cfg_dict, name.split('.'), inspect.Parameter.empty
    for depth, part in enumerate(parts):
        where = '.'.join(parts[:depth])
        if isinstance(node, dict):
            known = _names_below(parts[:depth], node, options)
            here = {} if options.get(f'{where}._delete_') else node
            accepted = known is None or part in known or part in SPECIAL
            if not accepted and (part not in here or depth == 0):
                _refuse(cfg, name, value, depth)
            hint = (known or {}).get(part, inspect.Parameter.empty)
            node = here.get(part, _NEW)
            is_last = depth == len(parts) - 1
            if node is _NEW and not is_last and (part in _WHOLE or not fits({}, hint)):
                _refuse(cfg, name, value, depth)
        elif isinstance(node, list):
            if not part.isdigit() or int(part) >= len(node):
                raise InvalidValueError(
                    f'merge_options: `{name}` is {value!r}, expected `{where}.` and a number '
                    f'below {len(node)}: it is a list of so many.'
                )
            node, hint = node[int(part)], inspect.Parameter.empty
        elif node is _NEW:
            hint = inspect.Parameter.empty
        else:
            whole = f'{where}="{node if isinstance(node, tuple) else "dict(...)"}"'
            raise InvalidValueError(
                f'merge_options: `{name}` is {value!r}, expected `{where}` to be a mapping, but it '
                f'is {node!r}. Set all of it, as in {whole}.'
            )
    _check_value(name, value, node, hint)


def _names_below(parts: list[str], node: dict, options: dict) -> Arguments | None:
    """What a mapping may hold, with annotations; ``None`` for anything."""
    where = '.'.join(parts)
    if not parts:
        return READ | dict(data_root=str, num_ids=int)
    type_ = options.get(f'{where}.type', node.get('type'))
    if type_ is not None:
        if f'{where}.type' in options and not is_registered(type_):
            raise InvalidValueError(
                f'merge_options: `{where}.type` is {type_!r}, expected the name of a class that '
                'is registered: of this project, MMEngine or PyTorch, or of `custom_imports`.'
            )
        return arguments_for(type_)
    if 'optimizer' in node or 'modules' in node:
        return arguments_for('OptimWrapper')
    if parts[-1] in _PLAIN:
        names = _PLAIN[parts[-1]]
    else:
        names = _ENTRIES.get(parts[-2] if len(parts) > 1 else '', ())
    return None if names is None else dict.fromkeys(names, inspect.Parameter.empty)


def _check_value(name: str, value: Any, current: Any, hint: Any) -> None:
    if hint is not inspect.Parameter.empty:
        expected = None if fits(value, hint) else spell(hint)
    else:
        kind = next((kind for kind in _KINDS if isinstance(current, kind[0])), None)
        given = next((kind for kind in _KINDS if isinstance(value, kind[0])), None)
        expected = None if None in (kind, given) or kind == given else kind[1]
    if expected is not None:
        is_shown = current is not None and len(repr(current)) <= 60 and current is not _NEW
        now = f', such as {current!r}, which it is now' if is_shown else ''
        if not isinstance(value, str) and fits('', hint) and isinstance(current, str):
            now += f' (a text stays one in quotes: {name}="\'...\'")'
        raise InvalidValueError(f'merge_options: `{name}` is {value!r}, expected {expected}{now}.')


def _refuse(cfg: Config, name: str, value: Any, depth: int) -> NoReturn:
    """Refuse an option that hits nothing."""
    key, _, rest = name.partition('.')
    places = [place for top in cfg if top in READ for place in places_in(cfg[top], top)]
    names = [found for found, _ in places]
    if depth == 0 and key in cfg and key not in READ:
        same = [found for found, item in places if item == cfg[key]]
        near = [f'{found}.{rest}' if rest else found for found in same[:5]]
        what = (
            f'what takes its place: `{key}` is a variable of the config files, which has been '
            'used when they were read'
        )
    else:
        last = name.rpartition('.')[2]
        same = [found for found in names if found.endswith(f'.{last}')]
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.75) or same[:3]
        near = near or difflib.get_close_matches(name, names, n=3, cutoff=0.4)
        what = 'a key that the config has, or an argument of what is built there'
    hint = f'; near: {", ".join(f"`{found}`" for found in near)}' if near else ''
    raise UnknownNameError(f'merge_options: `{name}` is {value!r}, expected {what}{hint}.')
