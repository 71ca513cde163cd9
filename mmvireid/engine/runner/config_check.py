"""Which names and values a config may have: those of the classes that are built from it."""

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import inf
from pathlib import PurePath
from typing import Any, Literal, Union, get_args, get_origin

from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmvireid import registry as registries
from mmvireid.errors import InvalidValueError, UnknownNameError
from mmvireid.registry import Registry

#: Keys that are taken out of a mapping before its class is called.
_TAKEN_OUT = {
    registries.HOOKS: ('priority',),
    registries.PARAM_SCHEDULERS: ('convert_to_iter_based',),
    registries.OPTIM_WRAPPERS: ('constructor', 'paramwise_cfg', 'modules'),
    registries.LOOPS: ('by_epoch',),
}
_WHOLE = 'whole number'
#: Numbers that mean the same wherever they stand, or in one class: kind, least, greatest.
_RANGES = {
    **dict.fromkeys(('lr', 'lr_mult', 'decay_mult', 'weight_decay', 'momentum'), ('number', 0)),
    **dict.fromkeys(('dampening', 'max_norm', 'gamma', 'eta_min'), ('number', 0)),
    'eps': ('number', 0),
    'betas': ('number', 0, 1),
    'start_factor': ('number', 0, 1),
    'prob': ('number', 0, 1),
    **dict.fromkeys(('max_epochs', 'max_iters', 'val_interval', 'batch_size'), (_WHOLE, 1)),
    **dict.fromkeys(('accumulative_counts', 'prefetch_factor', 'window_size'), (_WHOLE, 1)),
    **dict.fromkeys(('num_workers', 'val_begin', 'begin'), (_WHOLE, 0)),
    'seed': (_WHOLE, 0, 2**32 - 1),
    'LoggerHook.interval': (_WHOLE, 1),
}
#: Keys that any mapping may have.
SPECIAL = ('type', '_delete_', '_scope_')

#: Annotation of every argument by name.
Arguments = dict[str, Any]


@cache
def arguments_of(function: Callable) -> Arguments | None:
    """Arguments of a class or function, those that ``**kwargs`` pass on to base classes included.

    A class may say otherwise in ``__signature__``.

    Args:
        function: A class or function.

    Returns:
        Their annotations by name; ``None`` if anything may be given.
    """
    if not inspect.isclass(function) or '__signature__' in vars(function):
        layers = [function]
    else:
        layers = [vars(c)['__init__'] for c in function.__mro__[:-1] if '__init__' in vars(c)]
    found = {}
    if not layers:
        return found
    for layer in layers:
        try:
            parameters = inspect.signature(layer).parameters.values()
        except (TypeError, ValueError):  # of a built-in
            return None
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        for parameter in named:
            found.setdefault(parameter.name, _hint_of(parameter))
        is_open = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
        if layer is CheckpointHook.__init__ or not is_open:  # what that one passes on is for none
            found.pop('self', None)
            return found
    return None


def _hint_of(parameter: inspect.Parameter) -> Any:
    """The annotation, and the kind of the default where that is another one."""
    hint, default = parameter.annotation, parameter.default
    if default is parameter.empty or fits(default, hint):
        return hint
    return Union[hint, type(default)]  # noqa: UP007  a hint may be a text


def arguments_for(type_: Any) -> Arguments | None:
    """Arguments of what a config's ``type`` names, in whichever registry it is found.

    Args:
        type_: A registered name, or a class.

    Returns:
        As :func:`arguments_of`; ``None`` too if there is no such name.
    """
    if callable(type_):
        return arguments_of(type_)
    if not isinstance(type_, str):
        return None
    found = None
    for registry in _registries():
        if type_ in registry:
            arguments = arguments_of(registry.get(type_))
            if arguments is None:
                return None
            taken_out = dict.fromkeys(_TAKEN_OUT.get(registry, ()), inspect.Parameter.empty)
            found = (found or {}) | taken_out | arguments
    return found


def is_registered(type_: Any) -> bool:
    """Whether a config's ``type`` is a class, or names something in any registry."""
    named = isinstance(type_, str) and any(type_ in registry for registry in _registries())
    return named or callable(type_)


def _registries() -> list[Registry]:
    return [value for value in vars(registries).values() if isinstance(value, Registry)]


def fits(value: Any, hint: Any) -> bool:
    """Whether a config's value is of an annotated kind.

    Only plain kinds are judged; a class may be built from anything. Lists are as good as tuples.

    Args:
        value: Any value.
        hint: The annotation.

    Example:
        >>> fits(2.5, int), fits([1, 2], tuple[int, int]), fits(1, list[int] | None)
        (False, True, False)
    """
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, arg) for arg in args)
    if origin is Literal:
        return value in args
    kind = origin or hint
    if kind in (None, type(None)):
        return value is None
    if kind in (bool, int, float, str):
        allowed = (int, float) if kind is float else kind
        return isinstance(value, allowed) and (kind is bool or not isinstance(value, bool))
    if not inspect.isclass(kind) or kind is object or kind is inspect.Parameter.empty:
        return True
    if issubclass(kind, Mapping):
        values = value.values() if isinstance(value, dict) and len(args) == 2 else ()
        return isinstance(value, dict) and all(fits(item, args[1]) for item in values)
    if kind is Callable or issubclass(kind, PurePath):
        return True
    if issubclass(kind, list | tuple) or kind.__module__ == 'collections.abc':
        return _is_list_of(value, args, fixed=kind is tuple)
    # no object is built of these
    return value is not None and not isinstance(value, bool | int | float | str | list | tuple)


def _is_list_of(value: Any, args: tuple, fixed: bool) -> bool:
    if not isinstance(value, list | tuple):
        return False
    if fixed and args and args[-1] is not ...:
        return len(value) == len(args) and all(map(fits, value, args))
    return not args or all(fits(item, args[0]) for item in value)


def spell(hint: Any) -> str:
    """An annotation as a message shows it."""
    if get_origin(hint) in (Union, types.UnionType):
        return ' | '.join('None' if a is type(None) else spell(a) for a in get_args(hint))
    text = inspect.formatannotation(hint)
    for prefix in ('collections.abc.', 'typing.', 'torch.'):
        text = text.replace(prefix, '')
    return text


#: The keys that something reads; others are variables, which a config file itself uses.
READ: Arguments = {
    **{k: v for k, v in arguments_of(Runner).items() if k != 'cfg'},
    'compile': bool | dict,
    'log_level': Literal['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'],
    **dict.fromkeys(
        (
            'activation_checkpointing',
            'custom_imports',
            'efficient_conv_bn_eval',
            'find_unused_parameters',
            'model_wrapper_cfg',
            'runner_type',
            'sync_bn',
        ),
        inspect.Parameter.empty,
    ),
}


def check_config(cfg: Config) -> None:
    """Check the arguments of everything that a config says is to be built.

    Args:
        cfg: Any config.

    Raises:
        ValueError: If something has an argument that its class does not take, or of another kind
            than the class declares; names the key, the value and what was expected.
    """
    for name, value in cfg.items():
        if name in READ:
            for where, part in places_in(value, name):
                if isinstance(part, dict):
                    _check_arguments(where, part)
                    _check_ranges(where, part)


def places_in(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """A value and everything in it, with their dotted names."""
    yield where, value
    pairs = value.items() if isinstance(value, dict) else ()
    pairs = enumerate(value) if isinstance(value, list | tuple) else pairs
    for key, item in pairs:
        yield from places_in(item, f'{where}.{key}')


def _check_ranges(where: str, mapping: dict) -> None:
    """Check the numbers of a mapping, also where a class of PyTorch would refuse them later."""
    for name, value in mapping.items():
        kind, *bounds = _RANGES.get(name) or _RANGES.get(f'{mapping.get("type")}.{name}') or (None,)
        if kind is None or value is None or isinstance(value, dict):
            continue
        hint, low, high = int if kind is _WHOLE else float, bounds[0], (*bounds, inf)[1]
        numbers = value if isinstance(value, list | tuple) else [value]
        if not all(fits(number, hint) and low <= number <= high for number in numbers):
            most = f' and at most {bounds[1]}' if len(bounds) > 1 else ''
            raise InvalidValueError(
                f'check_config: `{where}.{name}` is {value!r}, expected a {kind} of at least '
                f'{low}{most}.'
            )
    begin, end = mapping.get('begin'), mapping.get('end')
    if isinstance(begin, int) and isinstance(end, int) and end <= begin:
        raise InvalidValueError(
            f'check_config: `{where}.end` is {end}, expected more than `{where}.begin`, {begin}.'
        )


def _check_arguments(where: str, mapping: dict) -> None:
    arguments = arguments_for(mapping.get('type'))
    if arguments is None:
        return
    for name, value in mapping.items():
        if name in SPECIAL:
            continue
        if name not in arguments:
            names = ', '.join(sorted(arguments))
            raise UnknownNameError(
                f'check_config: `{where}.{name}` is {value!r}, expected an argument of '
                f'{mapping["type"]}: {names}.'
            )
        if not fits(value, arguments[name]):
            raise InvalidValueError(
                f'check_config: `{where}.{name}` is {value!r}, expected {spell(arguments[name])}.'
            )
