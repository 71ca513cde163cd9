from pathlib import Path

import pytest

from mmvireid.apis import model_index
from mmvireid.apis.model_index import find_model, read_index

ROOT = Path(__file__).parents[2]


def test_every_indexed_config_is_there():
    models = read_index()
    assert {f'{name}_synthetic' for name in ('agw', 'mso', 'dgvae', 'aligngan')} <= set(models)
    assert [m.config for m in models.values() if not Path(m.config).is_file()] == []


def test_an_installed_copy_has_an_index_of_its_own(monkeypatch, tmp_path):
    (tmp_path / 'model-index.yml').write_text('Import:\n  - one.yml\n')
    (tmp_path / 'one.yml').write_text(
        'Models:\n  - {Name: mine, Config: configs/mine.py, Weights: https://there/mine.pth}\n'
    )
    monkeypatch.setattr(model_index, 'FOLDERS', (tmp_path / 'no', tmp_path))
    assert find_model('mine') == (str(tmp_path / 'configs/mine.py'), 'https://there/mine.pth')
    monkeypatch.setattr(model_index, 'FOLDERS', (tmp_path / 'no',))
    with pytest.raises(FileNotFoundError, match='expected a clone or a whole installation'):
        find_model('mine')


@pytest.mark.parametrize('name', ['dgvae_synthtic', 'configs/dgvae/dgvae_synth.py'])
def test_the_nearest_names_are_told(name):
    with pytest.raises(KeyError, match=r'near: .*dgvae_synthetic'):
        find_model(name)
