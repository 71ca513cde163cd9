import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import BaseLoop
from torch.utils.data import DataLoader

from mmvireid.engine.hooks import CheckpointHook
from mmvireid.engine.runner import resume_from
from mmvireid.errors import InvalidValueError
from mmvireid.evaluation.metrics import SYSUMetric
from mmvireid.storage import damage_of, files


def there(folder):
    return sorted(path.name for path in Path(folder).glob('*.pth'))


class Death(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


@pytest.mark.parametrize('max_keep', [1, 2])
@pytest.mark.parametrize('step', ['fsync', 'replace'])
@pytest.mark.parametrize('nth', range(1, 8))
def test_death_while_writing_leaves_whole_files_and_a_right_pointer(
    step, nth, max_keep, toy_runner, tmp_path, monkeypatch
):
    """An epoch has two files to write, the checkpoint and the pointer, each by both steps."""
    work = getattr(os, step)
    calls = []

    def die(*args):
        calls.append(args)
        if len(calls) == nth:
            raise Death
        return work(*args)

    monkeypatch.setattr(files.os, step, die)
    runner = toy_runner('run', checkpoint=dict(max_keep_ckpts=max_keep))
    folder, pointer = tmp_path / 'run', tmp_path / 'run/last_checkpoint'
    died = False
    try:
        runner.train()
    except Death:
        died = True
    assert died == (nth <= (6 if step == 'replace' else 12))
    for name in there(folder):
        assert damage_of(folder / name) is None
    if pointer.exists():
        assert damage_of(pointer.read_text()) is None
    assert len(there(folder)) <= max_keep + 1
    found = resume_from('auto', str(folder))
    assert (found is None) == (not there(folder))
    assert found is None or damage_of(found) is None


def test_the_old_one_goes_only_when_the_new_one_is_there(toy_runner, tmp_path, monkeypatch):
    runner = toy_runner('run', checkpoint=dict(max_keep_ckpts=1))
    seen = []
    save = runner.save_checkpoint

    def watch(*args, **kwargs):
        seen.append(there(tmp_path / 'run'))
        save(*args, **kwargs)

    monkeypatch.setattr(runner, 'save_checkpoint', watch)
    runner.train()
    assert seen == [[], ['epoch_1.pth'], ['epoch_2.pth']]
    assert there(tmp_path / 'run') == ['epoch_3.pth']


def test_a_full_disk_stops_the_run_and_leaves_the_last_good_one(toy_runner, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, 'No space left on device')

    folder = tmp_path / 'run'
    runner = toy_runner('run', checkpoint=dict(max_keep_ckpts=1))
    save, count = runner.save_checkpoint, []

    def second_time_full(*args, **kwargs):
        count.append(1)
        if len(count) == 2:
            monkeypatch.setattr(files.os, 'fsync', full)
        save(*args, **kwargs)

    monkeypatch.setattr(runner, 'save_checkpoint', second_time_full)
    with pytest.raises(RuntimeError, match=r'epoch_2.pth .* No space left .* --resume'):
        runner.train()
    assert there(folder) == ['epoch_1.pth']
    assert (folder / 'last_checkpoint').read_text() == str(folder / 'epoch_1.pth')
    torch.load(folder / 'epoch_1.pth', weights_only=True)
    assert not list(folder.glob('.*.part'))


def test_what_a_killed_run_left_is_removed(toy_runner, tmp_path):
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run/.epoch_1.pth.77.part').write_bytes(b'half')
    toy_runner('run').train()
    assert not list((tmp_path / 'run').glob('.*.part'))


def test_keeping_counts_on_after_a_resumed_run(toy_runner, tmp_path):
    keep = dict(max_keep_ckpts=2)
    toy_runner('run', checkpoint=keep).train()
    assert there(tmp_path / 'run') == ['epoch_2.pth', 'epoch_3.pth']
    loop = dict(type='ResumableTrainLoop', max_epochs=4)
    checkpoint = tmp_path / 'run/epoch_3.pth'
    toy_runner('run', checkpoint=keep, resume=checkpoint, train_cfg=loop).train()
    assert there(tmp_path / 'run') == ['epoch_3.pth', 'epoch_4.pth']


def test_it_takes_the_place_of_mmengines():
    from mmvireid.registry import HOOKS

    assert isinstance(HOOKS.build(dict(type='CheckpointHook', interval=1)), CheckpointHook)


class Validation(BaseLoop):
    """After an epoch, some metrics find what is in ``found``."""

    def __init__(self, runner, metrics, found):
        super().__init__(runner, DataLoader([0]))
        self.evaluator, self.found = SimpleNamespace(metrics=metrics), found

    def run(self):
        self.runner.call_hook('after_val_epoch', metrics=self.found[self.runner.epoch - 1])


@pytest.fixture
def validated(toy_runner):
    """``validated(save_best, metrics, found)``: a run of three epochs, with what to save."""

    def build(save_best, metrics, found, **checkpoint):
        runner = toy_runner('run', checkpoint=dict(save_best=save_best, **checkpoint))
        runner._val_loop = Validation(runner, metrics, found)
        return runner

    return build


SYSU = SYSUMetric(modes=['all'], shots=[1])


def figures(*values):
    """The results of three validations, of which the second is best by all but mINP."""
    return [dict.fromkeys(SYSU.result_keys(), value) | {MINP: -value} for value in values]


MAP, MINP = 'sysu/all-1shot/mAP', 'sysu/all-1shot/mINP'


@pytest.mark.parametrize(
    ('save_best', 'names'),
    [
        ('auto', {'best_sysu_all-1shot_R1_epoch_2.pth'}),
        ('sysu/all-1shot/R20', {'best_sysu_all-1shot_R20_epoch_2.pth'}),
        (
            ['sysu/all-1shot/mAP', MINP],
            {'best_sysu_all-1shot_mAP_epoch_2.pth', 'best_sysu_all-1shot_mINP_epoch_1.pth'},
        ),
    ],
)
def test_the_best_is_saved_by_any_result(save_best, names, validated, tmp_path):
    validated(save_best, [SYSU], figures(1.0, 3.0, 2.0)).train()
    assert {name for name in there(tmp_path / 'run') if name.startswith('best')} == names


@pytest.mark.parametrize('save_best', ['auto', ['sysu/all-1shot/R1', 'sysu/all-1shot/mAP']])
def test_the_last_best_one_stays_until_the_next_is_there(
    save_best, validated, tmp_path, monkeypatch
):
    runner = validated(save_best, [SYSU], figures(1.0, 2.0, 1.5))
    save, seen = runner.save_checkpoint, []

    def watch(folder, filename, **kwargs):
        seen.append((filename, [name for name in there(folder) if name.startswith('best')]))
        save(folder, filename, **kwargs)

    monkeypatch.setattr(runner, 'save_checkpoint', watch)
    runner.train()
    best = {name: before for name, before in seen if name.startswith('best')}
    assert best['best_sysu_all-1shot_R1_epoch_1.pth'] == []
    assert 'best_sysu_all-1shot_R1_epoch_1.pth' in best['best_sysu_all-1shot_R1_epoch_2.pth']
    left = [name for name in there(tmp_path / 'run') if name.startswith('best')]
    assert [name.rpartition('_')[2] for name in left] == ['2.pth'] * (
        1 if save_best == 'auto' else 2
    )
    assert runner.message_hub.get_info('best_ckpt' if save_best == 'auto' else f'best_ckpt_{MAP}')


@pytest.mark.parametrize(
    ('save_best', 'metrics', 'message'),
    [
        (
            'sysu/all-1shot/map',
            [SYSU],
            "save_best` is 'sysu/all-1shot/map', .*'sysu/all-1shot/mAP'",
        ),
        ('Rank1', [SYSU], r"save_best` is 'Rank1', expected a result .*'sysu/all-1shot/R1'"),
        (['sysu/all-1shot/R1', 'R1'], [SYSU], "save_best` is 'R1'"),
        ('fid', [object(), SYSU], "`rule` is None, expected 'greater' or 'less': .* 'fid' before"),
        ('auto', [object()], "`rule` is None, expected 'greater' or 'less'"),
    ],
)
def test_what_cannot_be_saved_by_is_refused_before_training(save_best, metrics, message, validated):
    runner = validated(save_best, metrics, [{}] * 3)
    with pytest.raises(ValueError, match=message):
        runner.train()
    assert runner.iter == 0


def test_without_validation_nothing_is_best(toy_runner):
    with pytest.raises(
        ValueError, match=r"`save_best` is \['auto'\], expected None where there is no"
    ):
        toy_runner('run', checkpoint=dict(save_best='auto')).train()


def test_of_a_metric_that_cannot_tell_the_rule_is_enough(validated, tmp_path):
    found = [dict(fid=value) for value in (3.0, 1.0, 2.0)]
    validated('auto', [object()], found, rule='less').train()
    assert 'best_fid_epoch_2.pth' in there(tmp_path / 'run')


def test_a_result_that_such_a_metric_does_not_give_is_named(validated):
    runner = validated('fid', [object()], [dict(FID=1.0)] * 3, rule='less')
    with pytest.raises(ValueError, match="save_best` is 'fid', expected a result .* 'FID'"):
        runner.train()


@pytest.mark.parametrize('arguments', [dict(rule='max'), dict(save_best=3), dict(save_begin=-1)])
def test_what_mmengine_does_not_take_is_one_line(arguments):
    with pytest.raises(InvalidValueError, match='^CheckpointHook: '):
        CheckpointHook(**dict(save_best='mAP') | arguments)
