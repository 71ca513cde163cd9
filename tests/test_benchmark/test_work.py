import json
import time

import pytest
import torch
from mmengine.config import Config

from mmvireid.benchmark import Cell, work
from mmvireid.benchmark.work import LINE, Usage, run_cell
from mmvireid.evaluation import FeatureSet
from mmvireid.evaluation.metrics import SYSUMetric
from mmvireid.evaluation.query_results import load_queries


@pytest.fixture
def cell(monkeypatch):
    monkeypatch.chdir(work.__file__.partition('/mmvireid/benchmark')[0])
    return Cell('configs/agw/agw_synthetic.py', seed=4)


@pytest.fixture
def fake_test(tmp_path):
    """What test.py writes, of features that name the people."""

    def test(argv):
        folder = argv[argv.index('--work-dir') + 1]
        metric = SYSUMetric(modes=['all'], shots=[1], num_trials=2, out_dir=folder)
        metric.dataset_meta = dict(dataset='synthetic_sysu', protocol='sysu', size='tiny', seed=0)
        metric.provenance = dict(selection='epoch 5', seed=4)
        rows = [(p, c) for p in (1, 2, 3) for c in (1, 3, 6)]
        feature_set = FeatureSet(
            [[float(p == i) for i in (1, 2, 3)] for p, _ in rows],
            [p for p, _ in rows],
            [c for _, c in rows],
            ['visible' if c == 1 else 'infrared' for _, c in rows],
            [f'cam{c}/{p:04d}/0001.jpg' for p, c in rows],
        )
        keys = dict(
            name='names', person_id='person_ids', camera_id='camera_ids', modality='modalities'
        )
        columns = [getattr(feature_set, column) for column in keys.values()]
        entries = [dict(zip(keys, row)) for row in zip(*columns)]
        metric.compute_metrics(
            [dict(entry, feature=f) for entry, f in zip(entries, feature_set.features)]
        )

    return test


@pytest.fixture
def fake_train():
    def train(argv):
        folder = argv[argv.index('--work-dir') + 1]
        assert '--resume' in argv
        with open(f'{folder}/last_checkpoint', 'w') as file:
            file.write('epoch_5.pth')

    return train


def test_a_cell_leaves_its_line_and_its_queries(cell, tmp_path, fake_train, fake_test):
    run_cell(cell, tmp_path, tmp_path / 'queries.npz', fake_train, fake_test, 'abc')
    line = json.loads((tmp_path / LINE).read_text())
    assert line['name'] == 'agw_synthetic.published.small.seed4'
    assert (line['commit'], line['seed'], line['rules']) == ('abc', 4, 'published')
    assert line['protocol']['test_data']['size'] == 'tiny'
    assert line['protocol']['gallery'] == 'seeded' and line['protocol']['num_trials'] == 2
    assert line['trials']['sysu/all-1shot']['R1'] == [100.0, 100.0]
    assert set(line['trials']['sysu/all-1shot']) == {'R1', 'R5', 'R10', 'R20', 'mAP', 'mINP'}
    assert line['identities']['ids'] == [1, 2, 3]
    assert line['identities']['queries'] == [2.0, 2.0, 2.0]
    assert line['identities']['R1'] == [2.0, 2.0, 2.0]
    assert set(line['seconds']) == {'train', 'test'}
    assert line['peak_memory_gib']['resident'] > 0
    assert {'cpu', 'torch', 'python'} <= set(line['machine'])
    assert (tmp_path / 'queries.npz').is_file()


def test_the_final_config_is_what_is_trained(cell, tmp_path, fake_train, fake_test):
    seen = []

    def train(argv):
        seen.append((tmp_path / 'cell_config.py').read_text())
        assert argv[0] == str(tmp_path / 'cell_config.py')
        fake_train(argv)

    run_cell(cell, tmp_path, tmp_path / 'queries.npz', train, fake_test, 'abc')
    assert Config.fromstring(seen[0], '.py').randomness == dict(seed=4)


def test_a_training_that_leaves_nothing_is_said(cell, tmp_path, fake_test):
    with pytest.raises(RuntimeError, match='the training left no checkpoint'):
        run_cell(cell, tmp_path, tmp_path / 'q.npz', lambda argv: None, fake_test, 'abc')


def test_time_adds_up_over_the_processes_of_a_cell(tmp_path):
    for _ in range(2):  # the second goes on after the first has been ended
        usage = Usage(tmp_path / 'used.json')
        with pytest.raises(SystemExit), usage.measure('train'):
            time.sleep(0.1)
            raise SystemExit(143)
    assert 0.2 <= Usage(tmp_path / 'used.json').seconds['train'] < 1


def test_a_real_cell_says_what_its_checkpoint_scores(shrink, load_tool, tmp_path, monkeypatch):
    config = str(tmp_path / 'tiny_synthetic.py')
    # MMEngine lays out a config's text again and again, which takes most of the time
    monkeypatch.setattr('mmengine.config.config.FormatCode', lambda text, **_: (text, True))
    shrink('configs/agw/agw_synthetic.py').dump(config)
    train, test = (load_tool(name).main for name in ('train.py', 'test.py'))
    folder, other = tmp_path / 'cell', tmp_path / 'other'
    run_cell(Cell(config, seed=7), folder, tmp_path / 'queries.npz', train, test, 'abc')
    line = json.loads((folder / LINE).read_text())
    checkpoint = folder / 'epoch_1.pth'
    assert torch.load(checkpoint, weights_only=True)['meta']['seed'] == 7
    test([config, str(checkpoint), '--work-dir', str(other), '--cfg-options',
          'experiment_name=test_alone'])  # fmt: skip
    results = json.loads((other / 'sysu_report.json').read_text())['results']
    for setting, figures in line['trials'].items():
        rows = results[setting]['per_trial']
        assert figures['mAP'] == pytest.approx([100 * row['mAP'] for row in rows], abs=1e-4)
    scores, _ = load_queries(tmp_path / 'queries.npz')
    mean = 100 * results['sysu/all-1shot']['mAP']
    assert scores['sysu/all-1shot'].by_identity('').figure('mAP') == pytest.approx(mean)
