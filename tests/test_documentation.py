"""What others build on is documented, with shapes where tensors go in or out."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mmengine.registry import Registry

import mmvireid
from mmvireid import registry

#: A dimension: ``N``, ``2PK``, ``N / 2``, ``h``, ``3``, ``num_ids``, ``...``.
_DIMENSION = r"(?:\.\.\.|\d+|\d*[A-Z]\w{0,3}'?|[hw]'?|num_\w+)(?: ?[-+*/] ?\w+)*"
#: ``(N, D)``, ``(N,)``, or what says that there is no shape.
SHAPE = re.compile(rf'\({_DIMENSION},(?: {_DIMENSION},?)*\)|\bscalars?\b')
SECTION = re.compile(r'^(Args|Returns|Raises|Yields|Attributes|Example):$', re.MULTILINE)
ARGUMENT = re.compile(r'^ {4}\**(\w+)(?: \([^)]*\))?: ', re.MULTILINE)
REFERENCE = re.compile(r':(?:func|meth|class):`~?(?:[\w.]*\.)?(\w+)`')

#: Tensors that may have any shape, and why.
ANY_SHAPE = {
    'BaseReID.to_device: values': 'it only copies',
    'BaseReID.to_device: return': 'it only copies',
    'copy_to: values': 'it only copies',
    'copy_to: return': 'it only copies',
    'check_state_dict: expected': 'a state dict has all kinds',
    'check_state_dict: given': 'a state dict has all kinds',
}


class Documented(NamedTuple):
    """A public function or method, and what is written about it: its own words first."""

    function: Callable
    words: list[str]


def modules() -> list:
    """All modules of the package, imported."""
    found = pkgutil.walk_packages(mmvireid.__path__, 'mmvireid.')
    return [importlib.import_module(module.name) for module in found]


def registered() -> Iterator[type]:
    for value in vars(registry).values():
        if isinstance(value, Registry):
            yield from value.module_dict.values()


def public() -> dict[str, Callable]:
    """Registered classes, and the classes and functions that an ``__all__`` names."""
    named = [getattr(m, name) for m in modules() for name in getattr(m, '__all__', ())]
    objects = [o for o in [*named, *registered()] if inspect.isfunction(o) or inspect.isclass(o)]
    ours = {o for o in objects if o.__module__.startswith('mmvireid.')}
    by_name = {o.__qualname__: o for o in ours}
    assert len(by_name) == len(ours)  # no two public things share a name
    return by_name


def own_methods(cls: type) -> dict[str, Callable]:
    """Methods and properties that a class defines, its call, and its ``__init__``."""
    methods = {}
    for name, value in vars(cls).items():
        value = value.fget if isinstance(value, property) else getattr(value, '__func__', value)
        is_public = not name.startswith('_') or name in ('__init__', '__call__')
        if inspect.isfunction(value) and is_public:
            methods[name] = value
    return methods


def words_of(cls: type, name: str) -> list[str]:
    """Docstrings of a method, and of those of the same name that it overrides."""
    if name == '__init__':
        return [inspect.getdoc(base) or '' for base in cls.__mro__ if base.__doc__]
    overridden = (vars(base).get(name) for base in cls.__mro__)
    words = [m.__doc__ for m in overridden if m is not None and m.__doc__]
    if name in ('forward', '__call__'):  # what a class is for is what its call does
        words.append(cls.__doc__)
    return [*map(inspect.cleandoc, words)]


def documented() -> dict[str, Documented]:
    """All public functions, and the methods of all public classes."""
    found = {}
    for name, thing in public().items():
        if inspect.isfunction(thing):
            found[name] = Documented(thing, [inspect.getdoc(thing) or ''])
            continue
        for key, method in own_methods(thing).items():
            found[f'{name}.{key}'] = Documented(method, words_of(thing, key))
    return found


def sections(text: str) -> dict[str, str]:
    """A docstring by section; what stands before the first is ``''``."""
    first, *rest = SECTION.split(text)
    return {'': first} | dict(zip(rest[::2], rest[1::2]))


def what_is_said(text: str, argument: str) -> str:
    """What a docstring says about an argument, or about what is returned."""
    parts = sections(text)
    if argument == 'return':
        return parts[''] + parts.get('Returns', parts.get('Yields', ''))
    _, *entries = ARGUMENT.split(parts.get('Args', '') + parts.get('Attributes', ''))
    return dict(zip(entries[::2], entries[1::2])).get(argument, parts[''])


def has_shape(words: list[str], argument: str) -> bool:
    """Whether the words, or those that they refer to, give an argument's shape."""
    if any(SHAPE.search(what_is_said(text, argument)) for text in words):
        return True
    names = [name for text in words for name in REFERENCE.findall(text)]
    others = [d for name, d in documented().items() if name.split('.')[-1] in names]
    return any(SHAPE.search(what_is_said(text, argument)) for d in others for text in d.words[:1])


def is_tensor(annotation: object) -> bool:
    """Whether tensors are handed over: not a function that will be given some."""
    text = str(annotation)
    return 'Callable' not in text and re.search(r'\b(Tensor|ndarray)\b', text) is not None


def test_everything_public_is_documented():
    assert [name for name, thing in public().items() if not thing.__doc__] == []
    assert [name for name, found in documented().items() if not any(found.words)] == []
    assert len(documented()) > 300


def test_tensors_have_shapes():
    lacking = [
        f'{name}: {argument}'
        for name, found in documented().items()
        for argument, annotation in found.function.__annotations__.items()
        if is_tensor(annotation) and not has_shape(found.words, argument)
    ]
    assert sorted(lacking) == sorted(ANY_SHAPE)


def test_the_check_knows_a_shape_from_none():
    told = """Do it to rows (N, D).

    Args:
        rows: Codes, shape (N, D).
        labels: Identities.

    Returns:
        A scalar.
    """
    told = inspect.cleandoc(told)
    assert SHAPE.search(what_is_said(told, 'rows')) and SHAPE.search(what_is_said(told, 'return'))
    assert not SHAPE.search(what_is_said(told, 'labels'))
    assert SHAPE.search(what_is_said(told, 'others'))  # without an entry: the text above
    for text in ('(a word)', '(see `f(x, y)`)', '()', 'N, D', '(images, maps)', '(Eq. 3, 4)'):
        assert not SHAPE.search(text), text
    for text in ('(N,)', '(2PK, C, h, w)', '(B + 2U, ...)', '(N / 2,)', '(N, num_ids)', 'scalars'):
        assert SHAPE.search(text), text
