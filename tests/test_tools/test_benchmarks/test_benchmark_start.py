"""What is started, and how its times are read."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

OUTPUT = """start: imports 3.0 2.5
any other line
start: before_run 5.0 4.0
start: before_train_epoch 5.5 4.25
start: first_batch 7.5 4.5
start: before_train_iter 8.5 {end}
"""


@pytest.fixture
def tool(load_tool):
    return load_tool('benchmarks/benchmark_start.py')


def test_the_fastest_turn_counts_and_ratios_are_of_processor_time(tool, monkeypatch, capsys):
    def run(command):
        kind = 'training' if '--start' in command else command[-1]
        calls.append(kind)
        late = calls.count(kind) == 1  # the first turn is the slower one
        seconds = dict(training=9.0).get(kind, 2.0) + late
        busy = {'training': 5.0, 'import torch, mmengine': 1.25}.get(kind, 0.25) + late
        return seconds, busy, OUTPUT.format(end=5.5 + late) if kind == 'training' else ''

    calls = []
    monkeypatch.setattr(tool, 'run', run)
    tool.main(['any.py', '--turns', '2', '--cfg-options', 'a=1'])
    assert calls == ['import torch, mmengine', 'import mmvireid', '--help', 'training'] * 2
    lines = [line.rsplit(maxsplit=3) for line in capsys.readouterr().out.splitlines()[1:]]
    figures = {name.strip(): [float(value) for value in values] for name, *values in lines}
    assert figures == {
        'import torch, mmengine': [2, 1.25, 1],
        'import mmvireid': [2, 0.25, 0.2],
        'train.py --help': [2, 0.25, 0.2],
        'training': [9, 5, 4],
        'imports': [3, 2.5, 2],
        'config, model, data set': [2, 1.5, 1.2],
        'optimisers, checks': [0.5, 0.25, 0.2],
        'first batch': [2, 0.25, 0.2],
        'rehearsal': [1, 1, 0.8],
    }


def test_a_command_runs_and_its_failure_is_said(tool, monkeypatch):
    seconds, _, output = tool.run(['-S', '-c', 'print("hello")'])
    assert seconds > 0 and output == 'hello\n'
    monkeypatch.setattr(
        subprocess,
        'run',
        lambda *args, **kwargs: SimpleNamespace(returncode=1, stderr='first\nwhy it failed\n'),
    )
    with pytest.raises(RuntimeError, match='benchmark_start: x.py failed: why it failed'):
        tool.run(['x.py'])


def test_marks_are_in_order_of_time(tool, capsys):
    tool.mark('imports')
    tool.mark('before_run')
    (first, age, busy), (second, more, _) = tool.phases(capsys.readouterr().out)
    assert (first, second) == ('imports', 'config, model, data set')
    assert age > 0 and busy > 0 and 0 <= more < 60


def test_a_training_ends_before_its_first_step(tool, shrink, tmp_path, monkeypatch, capsys):
    """In this process: what would end it raises instead."""

    def leave(status):
        raise InterruptedError(status)

    monkeypatch.setattr(tool.os, '_exit', leave)
    monkeypatch.setattr(sys, 'path', [*sys.path])
    config = shrink('configs/agw/agw_synthetic.py')
    config.dump(tmp_path / 'tiny.py')
    with pytest.raises(InterruptedError):
        tool.start_training([str(tmp_path / 'tiny.py'), '--work-dir', str(tmp_path / 'run')])
    names = [name for name, *_ in tool.phases(capsys.readouterr().out)]
    assert names == [*tool.PHASES.values()]
    assert not list((tmp_path / 'run').glob('*.pth'))
