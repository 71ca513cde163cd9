"""What an installed copy carries."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """The package as ``pip install`` would lay it out."""
    pytest.importorskip('setuptools')
    folder = tmp_path_factory.mktemp('built')
    command = [sys.executable, 'setup.py', '-q', 'build_py', '--build-lib', str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder / 'mmvireid'


def files(folder: Path, *patterns: str) -> set[str]:
    found = [path for pattern in patterns for path in folder.rglob(pattern)]
    return {path.relative_to(folder).as_posix() for path in found}


def test_configs_tools_and_the_model_index_travel(built):
    for name in ('configs', 'tools'):
        patterns = ('*.py', '*.sh', '*.md', '*.yml', '*.csv')
        assert files(built / '.mim' / name, *patterns) == files(ROOT / name, *patterns)
    assert (built / '.mim/model-index.yml').is_file()


def test_every_module_travels(built):
    ours = {name for name in files(ROOT / 'mmvireid', '*.py') if not name.startswith('.mim')}
    assert {name for name in files(built, '*.py') if not name.startswith('.mim')} == ours


def test_shipped_weights_travel(built):
    ours = files(ROOT / 'mmvireid/weights', '*')
    assert any(name.endswith('.pth') for name in ours)
    assert files(built / 'weights', '*') == ours


def test_every_result_of_the_model_index_has_its_config_and_its_row():
    for name in yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']:
        metafile = yaml.safe_load((ROOT / name).read_text())
        collection = metafile['Collections'][0]
        assert (ROOT / collection['Code']['Path']).is_file()
        readme = (ROOT / collection['README']).read_text()
        for model in metafile['Models']:
            assert (ROOT / model['Config']).is_file()
            for result in model['Results']:
                for value in result['Metrics'].values():
                    assert re.search(rf'\| {value:.2f} [±|]', readme), (model['Name'], value)
