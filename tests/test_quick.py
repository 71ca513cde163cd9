"""What `make quick` runs."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope='module')
def quick(load_tool):
    return load_tool('../.ci/quick.py')


@pytest.mark.parametrize(
    ('path', 'expected'),
    [
        ('README.md', []),
        ('mmvireid/registry.py', ['mmvireid/registry.py', 'tests/test_registry.py']),
        ('tools/demo.py', ['tests/test_tools/test_demo.py']),
        ('setup.py', ['tests/test_setup.py']),  # there is none
        ('docs/start.md', ['tests/test_docs.py']),
        ('tests/conftest.py', []),
        ('tests/test_models/test_heads/test_x.py', ['tests/test_models/test_heads/test_x.py']),
        ('projects/cmgan/cmgan/cmgan.py', ['tests/test_projects.py']),
        ('configs/_base_/methods/agw.py', ['tests/test_configs.py::test_it_is_built_as_it_stands']),
    ],
)
def test_what_tests_a_file(path, expected, quick):
    assert quick.find_tests(path) == expected


def test_every_module_is_tested_by_what_is_named(quick, load_tool):
    """By the house's own rule."""
    house = load_tool('../tests/test_house.py')
    for path in house.modules():
        name = path.relative_to(ROOT).as_posix()
        assert str(house.mirrored(path).relative_to(ROOT)) == quick.find_tests(name)[-1]


def test_what_is_named_for_a_config_exists(quick, load_tool):
    """Of all of them; pytest would refuse one that does not."""
    configs = load_tool('../tests/test_configs.py')
    names = dict(is_built_as_it_stands=configs.CONFIGS, trains_and_evaluates=configs.TRAINED)
    there = {f'tests/test_configs.py::test_it_{k}[{path}]' for k, v in names.items() for path in v}
    named = {test for path in configs.CONFIGS for test in quick.find_tests(path)}
    assert named <= there


def test_a_change_is_found_and_what_does_not_exist_is_left_out(quick, monkeypatch, capsys):
    files = ['mmvireid/distances.py', 'mmvireid/version.py', 'setup.py', 'gone.py']
    monkeypatch.setattr(quick, 'changed_files', lambda commit: files)
    quick.main()
    assert capsys.readouterr().out.split() == [
        *quick.ALWAYS,
        'mmvireid/distances.py',
        'tests/test_distances.py',
        'mmvireid/version.py',
    ]
