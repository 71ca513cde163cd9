from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import BaseLoop
from torch.utils.data import BatchSampler

from mmvireid.engine.runner import ReIDRunner


def weights_of(runner):
    return runner.model.state_dict()


def assert_went_on(resumed, straight, iteration):
    """Iterations, losses, rates and places in the epoch are those of the undisturbed run."""
    expected = straight.recorder.rows
    assert resumed.recorder.rows == {i: row for i, row in expected.items() if i > iteration}
    for key, value in weights_of(straight).items():
        assert torch.equal(weights_of(resumed)[key], value), key
    moments = [
        [s['momentum_buffer'] for s in run.optim_wrapper.optimizer.state_dict()['state'].values()]
        for run in (straight, resumed)
    ]
    assert all(map(torch.equal, *moments))


@pytest.mark.parametrize('num_workers', [0, 2])
@pytest.mark.parametrize('iteration', [1, 4, 6, 8, 11])
def test_a_run_goes_on_after_any_iteration(iteration, num_workers, straight, toy_runner, tmp_path):
    """4 and 8 are the ends of epochs, before the schedule has moved."""
    every = dict(by_epoch=False, interval=1)
    interrupted = toy_runner('interrupted', checkpoint=every, num_workers=num_workers)
    interrupted.train()
    assert interrupted.recorder.rows == straight.recorder.rows  # saving disturbs nothing
    checkpoint = tmp_path / f'interrupted/iter_{iteration}.pth'
    resumed = toy_runner('resumed', resume=checkpoint, num_workers=num_workers)
    resumed.train()
    assert_went_on(resumed, straight, iteration)


@pytest.mark.parametrize('epoch', [1, 2])
def test_a_run_goes_on_after_any_epoch(epoch, straight, toy_runner, tmp_path):
    resumed = toy_runner('resumed', resume=tmp_path / f'straight/epoch_{epoch}.pth')
    resumed.train()
    assert_went_on(resumed, straight, 4 * epoch)


def test_the_file_is_read_to_the_cpu(straight, toy_runner, tmp_path, monkeypatch):
    """MMEngine reads it to its device, where log histories and random states cannot be."""
    checkpoint = tmp_path / 'straight/epoch_1.pth'
    stock = toy_runner('stock', resume=checkpoint)
    resumed = toy_runner('resumed', resume=checkpoint, kind=ReIDRunner)
    monkeypatch.setattr('mmengine.runner.runner.get_device', lambda: 'nowhere')
    with pytest.raises(ValueError, match='nowhere'):
        stock.train()
    resumed.train()
    assert_went_on(resumed, straight, 4)


class Validation(BaseLoop):
    """Writes down after how many epochs it runs."""

    dataloader = SimpleNamespace(dataset=None)

    def __init__(self, runner):
        self._runner, self.epochs = runner, []

    def run(self):
        self.epochs.append(self.runner.epoch)


@pytest.mark.parametrize(
    ('checkpoint', 'epochs'),
    [('iter_3', [2, 3]), ('iter_8', [2, 3]), ('iter_9', [3]), ('epoch_2', [2, 3]), (None, [2, 3])],
)
def test_a_validation_that_was_lost_is_made_up_for(checkpoint, epochs, toy_runner, tmp_path):
    """Epoch 2 is validated once, whether the run died before, in its last batch or after it."""
    toy_runner('first', checkpoint=dict(by_epoch=False, interval=1)).train()
    toy_runner('first').train()
    resume = checkpoint and tmp_path / f'first/{checkpoint}.pth'
    loop = dict(type='ResumableTrainLoop', max_epochs=3, val_begin=2)
    runner = toy_runner('second', resume=resume, train_cfg=loop)
    runner._val_loop = Validation(runner)
    runner.train()
    assert runner.val_loop.epochs == epochs


def test_batch_samplers_that_cannot_begin_in_the_middle_are_named(toy_runner, tmp_path):
    toy_runner('first', checkpoint=dict(by_epoch=False, interval=1)).train()
    runner = toy_runner('second', resume=tmp_path / 'first/iter_5.pth')
    runner._train_dataloader['batch_sampler'] = dict(type=BatchSampler, drop_last=True)
    with pytest.raises(ValueError, match='batches into an epoch, and `batch_sampler` is a BatchS'):
        runner.train()


@pytest.mark.parametrize('checkpoint', ['iter_7', 'epoch_2'])
@pytest.mark.parametrize('num_batches', [2, 9])
def test_epochs_of_another_length_are_refused(checkpoint, num_batches, toy_runner, tmp_path):
    toy_runner('first', checkpoint=dict(by_epoch=False, interval=1)).train()
    toy_runner('first').train()
    runner = toy_runner('second', resume=tmp_path / f'first/{checkpoint}.pth')
    runner._train_dataloader['batch_sampler']['num_batches'] = num_batches
    with pytest.raises(ValueError, match=f'an epoch has {num_batches} batches now'):
        runner.train()


@pytest.mark.parametrize('seed', [None, 1])
def test_the_seed_is_that_of_the_checkpoint(seed, straight, toy_runner, tmp_path):
    checkpoint = tmp_path / 'straight/epoch_1.pth'
    resumed = toy_runner('resumed', resume=checkpoint, randomness=dict(seed=seed))
    resumed.train()
    assert_went_on(resumed, straight, 4)
