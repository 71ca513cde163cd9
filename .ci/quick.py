"""Print the tests that a change needs: ``python .ci/quick.py [COMMIT]``.

The change is what differs from a commit, the last one if none is named. Tests mirror the sources:
``mmvireid/a/b.py`` is tested by its examples and by ``tests/test_a/test_b.py``, a tool below
``tests/test_tools``, a config by ``tests/test_configs.py``, pages by ``tests/test_docs.py``. What
holds for the whole house is always tested; what the change means for everything else,
``make test`` says.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Cheap, and about everything.
ALWAYS = ('tests/test_house.py', 'tests/test_documentation.py')
BUILT = 'tests/test_configs.py::test_it_is_built_as_it_stands'
TRAINED = 'tests/test_configs.py::test_it_trains_and_evaluates'


def changed_files(commit: str) -> list[str]:
    """Paths of what differs from a commit, files that git does not know yet included."""
    commands = ['diff', '--name-only', commit], ['ls-files', '--others', '--exclude-standard']
    return [
        path
        for command in commands
        for path in subprocess.check_output(['git', *command], cwd=ROOT, text=True).splitlines()
    ]


def find_tests(path: str) -> list[str]:
    """What tests a file, as pytest's arguments; some may not exist."""
    room, *parts = Path(path).parts
    if room == 'docs':
        return ['tests/test_docs.py']
    if Path(path).suffix != '.py':
        return []
    if room == 'tests':
        return [path] if parts[-1].startswith('test_') else []
    if room == 'projects' and 'configs' not in parts:
        return ['tests/test_projects.py']
    if room in ('configs', 'projects'):
        if '_base_' in parts:
            return [BUILT]
        # of variants, not all are trained on RegDB
        found = [BUILT] if '-' in parts[-1] and path.endswith('_regdb.py') else [BUILT, TRAINED]
        return [f'{test}[{path}]' for test in found]
    own = [path] if room == 'mmvireid' else []
    mirrored = parts if room == 'mmvireid' else [room, *parts]
    return [*own, '/'.join(['tests', *(f'test_{part}' for part in mirrored)])]


def main(commit: str = 'HEAD') -> None:
    found = [test for path in changed_files(commit) for test in find_tests(path)]
    there = [test for test in found if (ROOT / test.partition('::')[0]).is_file()]
    print(*dict.fromkeys([*ALWAYS, *there]))


if __name__ == '__main__':
    main(*sys.argv[1:])
