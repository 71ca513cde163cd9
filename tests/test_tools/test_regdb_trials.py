import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from mmvireid.evaluation import SettingResult


@pytest.fixture
def tool(load_tool):
    return load_tool('regdb_trials.py')


def fake_report(r1):
    """What test.py writes for one split."""
    count = np.array([2060])
    result = SettingResult(
        cmc=np.linspace(r1, 1, 20)[None],
        mAP=np.array([r1 / 2]),
        mINP=np.array([r1 / 4]),
        num_valid_queries=count,
        num_dropped_queries=0 * count,
    )
    return dict(results={'regdb/visible-to-infrared': result.to_dict()})


def test_a_report_of_another_trial_is_found_before_any_run(tool, tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, 'run', None)
    (tmp_path / 'trial_2').mkdir()
    report = fake_report(0.3) | dict(provenance=dict(trial=4))
    (tmp_path / 'trial_2/regdb_report.json').write_text(json.dumps(report))
    with pytest.raises(SystemExit, match='trial_2/regdb_report.json is of trial 4, expected 2'):
        tool.main(['c.py', '--trials', '1', '2', '--work-dir', str(tmp_path)])


def test_every_split_is_trained_and_tested_once_and_averaged(tool, tmp_path, monkeypatch, capsys):
    commands = []

    def record(command, check):
        script, arguments = Path(command[1]).name, command[2:]
        folder = Path(arguments[arguments.index('--work-dir') + 1])
        commands.append((script, folder.name, arguments))
        folder.mkdir(parents=True, exist_ok=True)
        if script == 'train.py':
            torch.save({}, folder / 'epoch_81.pth')
            (folder / 'last_checkpoint').write_text('/moved/epoch_81.pth')
        else:
            trial = int(folder.name.removeprefix('trial_'))
            (folder / 'regdb_report.json').write_text(json.dumps(fake_report(trial / 10)))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, 'run', record)
    for _ in range(2):  # the second time everything is there
        tool.main(['c.py', '--trials', '1', '3', '--work-dir', str(tmp_path), '--amp',
                   '--cfg-options', 'a.b=1'])  # fmt: skip
    assert [(script, folder) for script, folder, _ in commands] == [
        ('train.py', 'trial_1'),
        ('test.py', 'trial_1'),
        ('train.py', 'trial_3'),
        ('test.py', 'trial_3'),
    ]
    train, test = commands[2][2], commands[3][2]
    assert 'train_dataloader.dataset.trial=3' in train
    assert 'test_dataloader.dataset.trial=3' in test
    assert '--amp' in train
    assert 'a.b=1' in train and 'a.b=1' in test
    assert str(tmp_path / 'trial_3/epoch_81.pth') in test
    row = capsys.readouterr().out.strip().splitlines()[-1]
    assert '20.00 ± 10.00' in row  # R1 of 10 and 30 percent
    assert '10.00 ± 5.00' in row  # mAP


def test_a_missing_checkpoint_is_named(tool, tmp_path):
    with pytest.raises(SystemExit, match='no checkpoint of trial 2'):
        tool.main(['c.py', '--trials', '2', '--work-dir', str(tmp_path), '--test-only'])
