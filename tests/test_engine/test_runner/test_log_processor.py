from collections import OrderedDict
from types import SimpleNamespace

import pytest
from mmengine.logging import MessageHub
from mmengine.runner import LogProcessor as MMLogProcessor

from mmvireid.engine.runner.log_processor import LogProcessor, brief_results, brief_terms
from mmvireid.registry import LOG_PROCESSORS


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """In the second of five epochs, after the fourth of eight iterations, on a CPU."""
    monkeypatch.setattr('mmengine.runner.log_processor.is_cuda_available', lambda: False)
    hub = MessageHub.get_instance(tmp_path.name)
    for key, value in {
        'train/lr': 0.01,
        'train/base_lr': 0.01,
        'train/time': 0.5,
        'train/data_time': 0.2,
        'train/loss': 3.0,
        'train/loss_identity': 2.0,
        'train/loss_triplet': 1.0,
        'train/grad_norm': 7.0,
        'val/sysu/all-1shot/R1': 51.234,
        'val/sysu/all-1shot/mAP': 40.0,
        'val/own/images': 77,
        'val/time': 0.1,
        'test/sysu/all-1shot/R1': 60.0,
    }.items():
        hub.update_scalar(key, value)
    hub.update_info('eta', 3700)
    return SimpleNamespace(
        message_hub=hub, epoch=1, iter=11, max_epochs=5, _train_loop='built',
        train_dataloader=range(8), train_loop=SimpleNamespace(dataloader=range(8)),
        val_loop=SimpleNamespace(dataloader=range(4)), val_dataloader=range(4),
        test_loop=SimpleNamespace(dataloader=range(4)), test_dataloader=range(4),
    )  # fmt: skip


def test_the_file_gets_mmengines_lines_and_the_terminal_shorter_ones(runner):
    ours, theirs = LOG_PROCESSORS.build(dict(type='LogProcessor')), MMLogProcessor()
    assert type(ours) is LogProcessor
    for mode in ('train', 'val', 'test'):
        tag, line = ours.get_log_after_iter(runner, 3, mode)
        assert (tag, line) == theirs.get_log_after_iter(runner, 3, mode)
    tag, line = ours.get_log_after_iter(runner, 3, 'train')
    assert line.brief == (
        'Epoch(train) [2][4/8]  eta 1:01:40  0.50 s/iter (40% for data)  loss 3  lr 0.01  '
        'identity 2  triplet 1  grad_norm 7'
    )
    assert ours.get_log_after_iter(runner, 3, 'val')[1].brief.startswith('Epoch(val) [1][4/4]  eta')


def test_a_validation_is_a_table_and_a_test_is_left_to_the_command(runner):
    ours, theirs = LogProcessor(), MMLogProcessor()
    for mode in ('val', 'test'):
        assert ours.get_log_after_epoch(runner, 4, mode) == theirs.get_log_after_epoch(
            runner, 4, mode
        )
    assert ours.get_log_after_epoch(runner, 4, 'test')[1].brief == ''
    shown = ours.get_log_after_epoch(runner, 4, 'val')[1].brief.splitlines()
    assert shown[0] == 'Validation after epoch 1'
    assert shown[1].split() == ['setting', 'R1', 'mAP', 'images']
    assert shown[3].split() == ['sysu/all-1shot', '51.23', '40.00', '-']
    assert shown[4].split() == ['own', '-', '-', '77']
    runner._train_loop = dict()  # not built: a validation alone
    assert ours.get_log_after_epoch(runner, 4, 'val')[1].brief.startswith('Validation\n')


def test_several_updates_are_told_apart_and_their_sums_come_first():
    values = OrderedDict(
        {
            'critic.lr': 0.1,
            'critic.base_lr': 0.1,
            'actor.lr': 0.2,
            'critic/loss': 1.0,
            'critic/loss_real': 0.5,
            'critic/grad_norm': 3.0,
            'actor/loss': 2.0,
            'actor/loss_fake': 2.0,
        }
    )
    assert brief_terms(values) == [
        'loss: critic 1', 'actor 2', 'critic/real 0.5', 'actor/fake 2', 'critic/grad_norm 3',
        'lr critic 0.1', 'lr actor 0.2',
    ]  # fmt: skip


def test_results_without_a_setting_are_lines():
    assert brief_results({'accuracy': 0.5, 'time': 0.1}) == ['accuracy: 0.5']
