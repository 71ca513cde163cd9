import os
from pathlib import Path

import pytest
import torch

from mmvireid.engine.hooks import CheckpointHook
from mmvireid.engine.runner import resume_from
from mmvireid.utils import damage_of, files


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
