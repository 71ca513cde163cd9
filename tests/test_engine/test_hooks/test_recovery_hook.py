import os
import signal
import subprocess
import time
from multiprocessing import active_children
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop
from torch.utils.data import DataLoader

from mmvireid.engine.hooks import RecoveryHook
from mmvireid.engine.hooks.recovery_hook import handlers_put_back
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


def to_all(number):
    """Send a signal as a terminal or a cluster does: from elsewhere, to the data workers too."""
    workers = (str(child.pid) for child in active_children())
    subprocess.run(['kill', f'-{number}', *workers, str(os.getpid())], check=True)


def exit_code(runner):
    """What a training is left with; its traceback is not kept, nor are its data workers."""
    try:
        runner.train()
    except SystemExit as end:
        return end.code


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
# with workers, the second iteration of an epoch: both have begun then, and listen
@pytest.mark.parametrize(('iteration', 'num_workers'), [(1, 0), (4, 0), (6, 0), (2, 2), (6, 2)])
def test_a_signal_ends_the_iteration_and_nothing_is_lost(
    number, iteration, num_workers, straight, toy_runner, tmp_path
):
    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    send = At(iteration, lambda: to_all(number))
    first = toy_runner('run', hooks=[send, RecoveryHook()], num_workers=num_workers)
    assert exit_code(first) == 128 + number
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


class Validation(BaseLoop):
    """Two batches, of which the first brings a signal after the second epoch."""

    def __init__(self, runner):
        super().__init__(runner, DataLoader([0, 1]))
        self.numbers = []

    def run(self):
        self.runner.call_hook('before_val_epoch')
        for number in self.dataloader.dataset:
            self.runner.call_hook('before_val_iter', batch_idx=number)
            if self.runner.epoch == 2 and number == 0:
                os.kill(os.getpid(), signal.SIGTERM)
            self.numbers.append(number)
            self.runner.call_hook('after_val_iter', batch_idx=number)


def test_a_validation_is_left_and_done_again(straight, toy_runner, tmp_path):
    first = toy_runner('run', hooks=[RecoveryHook()])
    first._val_loop = Validation(first)
    assert exit_code(first) == 128 + signal.SIGTERM
    assert first.val_loop.numbers == [0, 1, 0]
    assert there(tmp_path / 'run') == [8]
    resumed = toy_runner('run', resume=resume_from('auto', str(tmp_path / 'run')))
    resumed._val_loop = Validation(resumed)
    resumed.val_loop.run = lambda: resumed.val_loop.numbers.append(resumed.epoch)
    resumed.train()
    assert resumed.val_loop.numbers == [2, 3]
    assert first.recorder.rows | resumed.recorder.rows == straight.recorder.rows


def test_it_says_how_to_go_on(toy_runner, capsys):
    send = At(2, lambda: os.kill(os.getpid(), signal.SIGTERM))
    runner = toy_runner('run', hooks=[send, RecoveryHook()])
    said = []
    runner.logger.warning = said.append
    exit_code(runner)
    assert said == [
        'SIGTERM in iteration 2: stopped after it, nothing is lost. Go on with the same command '
        'and --resume.'
    ]


def test_a_second_ctrl_c_ends_it_at_once(toy_runner, tmp_path):
    def twice():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    runner = toy_runner('run', hooks=[At(3, twice), RecoveryHook()])
    with pytest.raises(KeyboardInterrupt), handlers_put_back():
        runner.train()
    assert max(runner.recorder.rows) == 2
    assert handlers == [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]


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


def test_what_the_pointer_names_stays(toy_runner, tmp_path):
    """Where the last epochs have no checkpoint of their own."""
    rare = dict(interval=2, save_last=False)
    hooks = [RecoveryHook(minutes=None, iterations=3)]
    toy_runner('run', checkpoint=rare, hooks=hooks).train()
    assert there(tmp_path / 'run') == [12]
    assert Path(resume_from('auto', str(tmp_path / 'run'))).name == 'recovery_12.pth'


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
