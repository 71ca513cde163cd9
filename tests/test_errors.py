import ast
import builtins
from pathlib import Path

import pytest

import mmvireid
from mmvireid import errors

PACKAGE = Path(mmvireid.__file__).parent
CLASSES = [
    (errors.InvalidValueError, ValueError),
    (errors.InvalidTypeError, TypeError),
    (errors.UnknownNameError, KeyError),
    (errors.MissingFileError, FileNotFoundError),
    (errors.RunStoppedError, RuntimeError),
]
#: What a base class says to its author.
OTHERS = ('NotImplementedError',)


@pytest.mark.parametrize(('ours', 'builtin'), CLASSES)
def test_a_refusal_is_the_builtin_error_too_and_shows_its_message_as_it_is(ours, builtin):
    with pytest.raises(builtin) as caught:
        raise ours("C: `a` is 'x'.")
    assert isinstance(caught.value, errors.Refusal)
    assert str(caught.value) == "C: `a` is 'x'."


def builtin_errors(path: Path) -> set[str]:
    """The built-in errors that a source file raises or makes."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    used = [node.func for node in nodes if isinstance(node, ast.Call)]
    used += [node.exc for node in nodes if isinstance(node, ast.Raise)]
    names = {node.id for node in used if isinstance(node, ast.Name)}
    return {name for name in names if name.endswith('Error') and hasattr(builtins, name)}


def test_the_package_refuses_by_its_own_classes_only():
    """Another error would reach the user as a traceback, as of a bug."""
    found = {str(path): builtin_errors(path) - {*OTHERS} for path in PACKAGE.rglob('*.py')}
    found.pop(
        str(PACKAGE / 'datasets/loading/worker_failure.py')
    )  # where PyTorch's own error gets lost
    assert {path: names for path, names in found.items() if names} == {}


def test_a_missing_extra_is_named_with_the_command_that_installs_it():
    with (
        pytest.raises(
            RuntimeError,
            match=r"^page: it needs no-such-package, which comes with the extra 'web': "
            r"pip install -e '\.\[web\]', or pip install no-such-package\.$",
        ),
        errors.from_extra('page', 'no-such-package', 'web'),
    ):
        import no_such_package  # noqa: F401
    with errors.from_extra('page', 'json', 'web'):
        import json
    assert json.loads('1') == 1
