"""Averaged weights: what they are, and that no interruption mixes them up with the trained ones."""

import copy
import os
import signal

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop
from torch.utils.data import DataLoader

from mmvireid.engine.hooks import EMAHook, RecoveryHook
from mmvireid.engine.runner import resume_from
from mmvireid.storage import load_weights

MOMENTUM = 0.3


def averaging():
    return EMAHook(momentum=MOMENTUM, update_buffers=True)


class Keep(Hook):
    """The trained weights after every iteration."""

    priority = 'LOWEST'

    def __init__(self):
        self.kept = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.kept.append(copy.deepcopy(runner.model.state_dict()))


def averaged_by_hand(kept):
    """The first weights, then a step towards those of each iteration."""
    average = {key: value.clone() for key, value in kept[0].items()}
    for weights in kept[1:]:
        for key, value in weights.items():
            if value.is_floating_point():
                average[key] += MOMENTUM * (value - average[key])
    return average


def assert_equal(ours, theirs):
    assert set(ours) == set(theirs)
    for key, value in theirs.items():
        torch.testing.assert_close(ours[key], value, rtol=0, atol=0, msg=key)


@pytest.fixture
def straight_average(toy_runner):
    """An undisturbed run: its trained weights by iteration, the runner, the hook."""
    keep, hook = Keep(), averaging()
    runner = toy_runner('average', hooks=[hook, keep])
    runner.train()
    return keep.kept, runner, hook


def test_a_checkpoint_has_the_average_where_everything_looks(straight_average, tmp_path):
    kept, runner, _ = straight_average
    weights = load_weights(str(tmp_path / 'average/epoch_3.pth'), key='x')
    average = averaged_by_hand(kept)
    for key, value in average.items():
        if value.is_floating_point():
            torch.testing.assert_close(weights[key], value.cpu(), msg=key)
    assert any(not torch.equal(weights[key], kept[-1][key].cpu()) for key in weights)
    assert_equal(runner.model.state_dict(), kept[-1])  # training goes on with its own


class Interrupt(Hook):
    """A signal, before an iteration or in the validation after it."""

    def __init__(self, when, iteration):
        self.iteration = iteration
        setattr(self, when, self.send)

    def send(self, runner, **_):
        if runner.iter == self.iteration:
            os.kill(os.getpid(), signal.SIGTERM)


class Validation(BaseLoop):
    """One batch after every epoch."""

    def __init__(self, runner):
        super().__init__(runner, DataLoader([0]))

    def run(self):
        self.runner.call_hook('before_val_epoch')
        self.runner.call_hook('before_val_iter', batch_idx=0)
        self.runner.call_hook('after_val_iter', batch_idx=0)
        self.runner.call_hook('after_val_epoch', metrics={})


@pytest.mark.parametrize(
    ('when', 'iteration'),
    [('before_train_iter', 1), ('before_train_iter', 6), ('before_val_iter', 4)],
)
def test_a_run_that_is_resumed_anywhere_has_the_same_average(
    when, iteration, straight_average, toy_runner, tmp_path
):
    """In a validation, too, while averaged and trained weights have changed places."""
    first = toy_runner('run', hooks=[averaging(), Interrupt(when, iteration), RecoveryHook()])
    first._val_loop = Validation(first)
    with pytest.raises(SystemExit):
        first.train()
    checkpoint = resume_from('auto', str(tmp_path / 'run'))
    assert 'recovery' in checkpoint
    hook = averaging()
    second = toy_runner('run', hooks=[hook], resume=checkpoint)
    second.train()
    _, straight, straight_hook = straight_average
    assert_equal(second.model.state_dict(), straight.model.state_dict())
    assert_equal(hook.ema_model.state_dict(), straight_hook.ema_model.state_dict())


@pytest.mark.usefixtures('straight_average')
def test_trained_weights_and_their_average_are_not_mistaken_for_each_other(toy_runner, tmp_path):
    path = tmp_path / 'average/epoch_2.pth'
    with pytest.raises(ValueError, match='`custom_hooks` has no EMAHook'):
        toy_runner('without', resume=path).train()
    begun = toy_runner('begun')  # a new run from the average is another matter
    begun._load_from = str(path)
    begun.train()


@pytest.mark.usefixtures('straight_average')
def test_what_does_not_fit_is_refused_before_anything_is_copied(toy_runner, tmp_path):
    path = tmp_path / 'average/epoch_2.pth'
    checkpoint = torch.load(path, weights_only=True)
    checkpoint['state_dict'].popitem()
    torch.save(checkpoint, path)
    with pytest.raises(ValueError, match='1 missing'):
        toy_runner('cut', hooks=[averaging()], resume=path).train()
