import os
import signal
import time
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

from mmvireid.engine.hooks import RecoveryHook
from mmvireid.engine.runner import resume_from


def there(folder):
    found = Path(folder).glob('recovery_*.pth')
    return sorted(int(path.stem.removeprefix('recovery_')) for path in found)


class At(Hook):
    """Do something before an iteration, as it would come from outside."""

    def __init__(self, iteration, action):
        self.iteration, self.action = iteration, action

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter + 1 == self.iteration:
            self.action()


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize('iteration', [1, 4, 6])
def test_a_signal_ends_the_iteration_and_nothing_is_lost(
    number, iteration, straight, toy_runner, tmp_path, caplog
):
    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    send = At(iteration, lambda: os.kill(os.getpid(), number))
    first = toy_runner('run', hooks=[send, RecoveryHook()])
    with pytest.raises(SystemExit) as end:
        first.train()
    assert end.value.code == 128 + number
    assert max(first.recorder.rows) == iteration
    assert there(tmp_path / 'run') == [iteration]
    checkpoint = resume_from('auto', str(tmp_path / 'run'))
    second = toy_runner('run', hooks=[RecoveryHook()], resume=checkpoint)
    second.train()
    assert first.recorder.rows | second.recorder.rows == straight.recorder.rows
    for key, value in straight.model.state_dict().items():
        assert torch.equal(second.model.state_dict()[key], value), key
    assert there(tmp_path / 'run') == []  # a complete run needs none
    assert handlers == [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]


def test_it_says_how_to_go_on(toy_runner, capsys):
    send = At(2, lambda: os.kill(os.getpid(), signal.SIGTERM))
    runner = toy_runner('run', hooks=[send, RecoveryHook()])
    said = []
    runner.logger.warning = said.append
    with pytest.raises(SystemExit):
        runner.train()
    assert said == [
        'SIGTERM in iteration 2: stopped after it, nothing is lost. Go on with the same command '
        'and --resume.'
    ]


def test_a_second_ctrl_c_ends_it_at_once(toy_runner, tmp_path):
    def twice():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    runner = toy_runner('run', hooks=[At(3, twice), RecoveryHook()])
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    assert max(runner.recorder.rows) == 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else 0)


class Watch(Hook):
    priority = 'LOWEST'

    def __init__(self):
        self.seen = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.seen.append(there(runner.work_dir))


def test_two_are_there_at_a_time(toy_runner):
    watch = Watch()
    toy_runner('run', hooks=[RecoveryHook(minutes=None, iterations=2), watch]).train()
    assert watch.seen[:8] == [[], [2], [2], [2, 4], [2, 4], [4, 6], [4, 6], [6, 8]]


def test_minutes_are_what_can_be_lost(toy_runner, monkeypatch):
    """A clock that an iteration takes 40 s by: one is due after every second iteration."""
    clock = [0.0]
    monkeypatch.setattr(time, 'monotonic', lambda: clock[0])
    tick = At(0, None)
    tick.before_train_iter = lambda *_, **__: clock.__setitem__(0, clock[0] + 40)
    watch = Watch()
    toy_runner('run', hooks=[tick, RecoveryHook(minutes=1), watch]).train()
    assert [seen[-1:] for seen in watch.seen[:6]] == [[], [2], [2], [4], [4], [6]]


@pytest.mark.parametrize('arguments', [dict(minutes=0), dict(iterations=-1)])
def test_wrong_intervals_are_named(arguments):
    (name, value), *_ = arguments.items()
    with pytest.raises(ValueError, match=f'`{name}` is {value}, expected more than 0, or None'):
        RecoveryHook(**arguments)
