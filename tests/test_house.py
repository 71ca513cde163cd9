"""What holds for the whole package, beside the import contracts of ``pyproject.toml``."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE, TOOLS, TESTS = ROOT / 'mmvireid', ROOT / 'tools', ROOT / 'tests'
METHODS = PACKAGE / 'models/methods'

#: Modules whose tests stand elsewhere, and why.
TESTED_ELSEWHERE = {
    'mmvireid/version.py': 'a constant, which test_packaging.py reads',
    'mmvireid/apis/releases.py': 'the tables of released_weights.py, tested with it',
    'tools/train.py': 'tested with test.py, which needs what it leaves: test_train_and_test.py',
    'tools/test.py': 'see tools/train.py',
    'mmvireid/apis/training.py': 'see tools/train.py',
    'mmvireid/apis/testing.py': 'see tools/train.py',
}
#: Tests of no single module, and of what.
TESTS_OF_MORE = {
    'test_released_schedules.py': 'configs against the releases',
    'test_classics.py': 'configs against papers and releases',
    'test_configs.py': 'all configs',
    'test_docs.py': 'docs/',
    'test_documentation.py': 'all docstrings',
    'test_fake_cuda.py': 'steps of all configs',
    'test_house.py': 'the places of all files',
    'test_loss_order.py': 'all losses',
    'test_packaging.py': 'setup.py',
    'test_projects.py': 'the plugins in projects/',
    'test_quick.py': '.ci/quick.py',
    'test_untrusted_files.py': 'everything that opens a file',
    'test_weights.py': 'everything that loads weights',
    'test_engine/test_runner/test_distributed_equivalence.py': 'several processes with all methods',
    'test_tools/test_readme.py': 'tools/README.md',
    'test_tools/test_train_and_test.py': 'train.py and test.py, one after the other',
}


def modules() -> list[Path]:
    """Source files of the package, without links to the clone (``.mim``), and tools."""
    package = [path for path in PACKAGE.rglob('*.py') if '.mim' not in path.parts]
    return [path for path in [*package, *TOOLS.rglob('*.py')] if path.name != '__init__.py']


def mirrored(path: Path) -> Path:
    """``mmvireid/a/b.py`` is tested by ``tests/test_a/test_b.py``, tools below ``test_tools``."""
    base = PACKAGE if path.is_relative_to(PACKAGE) else ROOT
    return TESTS.joinpath(*(f'test_{part}' for part in path.relative_to(base).parts))


def test_every_module_has_its_test_and_every_test_its_module():
    expected = {mirrored(path): str(path.relative_to(ROOT)) for path in modules()}
    there = set(TESTS.rglob('test_*.py'))
    untested = {module for test, module in expected.items() if test not in there}
    alone = {str(test.relative_to(TESTS)) for test in there - set(expected)}
    for found, excused in ((untested, TESTED_ELSEWHERE), (alone, TESTS_OF_MORE)):
        assert sorted(found - set(excused)) == []
        assert sorted(set(excused) - found) == []  # an excuse that is none any more


def inherited_only(source: str) -> list[str]:
    """Names that a page takes from other pages and does not merely inherit from."""
    tree, taken = ast.parse(source), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ''
            if node.level == 1 or module.startswith('mmvireid.models.methods'):
                taken |= {alias.asname or alias.name for alias in node.names}
            elif module == 'mmvireid.models' and node.level == 0:
                taken |= {alias.name for alias in node.names if alias.name == 'methods'}
        elif isinstance(node, ast.Import):
            taken |= {a.name for a in node.names if a.name.startswith('mmvireid.models.methods')}
    bases = {base.id for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
             for base in node.bases if isinstance(base, ast.Name)}  # fmt: skip
    return sorted(taken - bases)


def test_methods_import_methods_only_to_inherit():
    pages = [path for path in METHODS.glob('*.py') if path.name != '__init__.py']
    assert {path.name: inherited_only(path.read_text('utf-8')) for path in pages} == {
        path.name: [] for path in pages
    }


@pytest.mark.parametrize(
    ('source', 'found'),
    [
        ('from .agw import AGW\nclass MSO(AGW): pass', []),
        ('from mmvireid.models.methods import AGW\nclass MSO(Mixin, AGW): pass', []),
        ('from mmvireid.models.losses import IdentityLoss', []),
        ('from .agw import AGW\nclass MSO(Base):\n    part = AGW()', ['AGW']),
        ('from .agw import AGW, helper\nclass MSO(AGW): pass', ['helper']),
        ('from . import agw\nclass MSO(agw.AGW): pass', ['agw']),
        ('import mmvireid.models.methods.agw', ['mmvireid.models.methods.agw']),
        ('from mmvireid.models import methods', ['methods']),
    ],
)
def test_what_is_more_than_to_inherit_is_seen(source, found):
    assert inherited_only(source) == found


def rooms() -> set[str]:
    """Folders of the package, and the modules that stand in none."""
    folders = {path.parent for path in PACKAGE.rglob('*.py') if '.mim' not in path.parts}
    names = {f'{path.relative_to(PACKAGE)}/' for path in folders if path != PACKAGE}
    return names | {path.name for path in PACKAGE.glob('*.py') if path.name != '__init__.py'}


def test_the_page_on_the_house_names_every_room():
    page = (ROOT / 'CONTRIBUTING.md').read_text('utf-8').split('## The house')[1].split('\n## ')[0]
    rows = [line.split('|')[1] for line in page.splitlines() if line.startswith('| `')]
    assert {name for row in rows for name in re.findall('`([^`]+)`', row)} == rooms()
