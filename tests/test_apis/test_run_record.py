import json
from pathlib import Path

import pytest

from mmvireid.apis import run_record
from mmvireid.apis.run_record import base_settings

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.fixture
def train(shrink, load_tool, tmp_path, monkeypatch):
    """``train('agw/agw_synthetic.py')``: the records that the command leaves."""
    monkeypatch.chdir(tmp_path)

    def run(config, *arguments):
        cfg = shrink(str(CONFIGS / config))
        cfg.dump('base.py')
        Path('mine.py').write_text("_base_ = 'base.py'\ntrain_cfg = dict(val_interval=2)\n")
        load_tool('train.py').main(['mine.py', '--work-dir', 'out', *arguments])
        return [json.loads(path.read_text()) for path in sorted(Path('out').glob('*/run.json'))]

    return run


def test_a_staged_run_leaves_what_it_was(train):
    (record,) = train('dgvae/dgvae_synthetic.py', '--cfg-options', 'randomness.seed=5')
    assert (record['method'], record['config'], record['seed']) == ('DGVAE', 'mine.py', 5)
    assert (record['begins_at'], record['epoch_length'], record['processes']) == (0, 2, 1)
    assert [begin for _, begin in record['stages']] == [0, 2, 4]
    assert record['stages'][0][0] == '1 identity'
    assert record['changes'] == {'train_cfg.val_interval': [3, 2], 'randomness.seed': [0, 5]}
    assert record['settings']['randomness.seed'] == 5
    assert not any(key.startswith(('work_dir', '_')) for key in record['settings'])
    assert record['data'].keys() == {'training', 'validation'}
    assert len(record['optimisers']) == 2


def test_a_disk_that_takes_no_more_is_no_reason_to_stop(train, monkeypatch):
    def refuse(path):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(run_record, 'new_file', refuse)
    assert train('agw/agw_synthetic.py') == []
    assert Path('out/epoch_1.pth').is_file()


def test_the_base_is_what_a_config_builds_upon(tmp_path):
    base = base_settings(str(CONFIGS / 'mso/mso-hc_synthetic.py'))
    whole = base_settings(str(CONFIGS / 'mso/mso-hc_synthetic.py').replace('-hc', ''))
    assert base['model.type'] == 'MSO' and whole['model.type'] == 'AGW'
    assert base['default_hooks.checkpoint.type'] == 'CheckpointHook'
    (tmp_path / 'alone.py').write_text('train_cfg = dict()\n')
    assert base_settings(str(tmp_path / 'alone.py')) is None
