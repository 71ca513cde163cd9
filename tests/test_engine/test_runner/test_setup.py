import argparse
import os
import sys

import pytest
import torch

from mmvireid.datasets.worker_failure import noted_image
from mmvireid.engine.runner import (
    clear_errors,
    forget_weights,
    parse_run_args,
    prepare_config,
    resume_from,
    use_autocast,
)
from mmvireid.models.heads import IdentityHead


@pytest.fixture
def parse(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', list(sys.path))
    (tmp_path / 'toy.py').write_text(
        "default_scope = 'mmvireid'\nrandomness = dict(seed=1)\n"
        'train_dataloader = dict(num_workers=64, '
        'persistent_workers=True)\n'
    )

    def build(*argv):
        parser = argparse.ArgumentParser()
        parser.add_argument('config')
        return parse_run_args(parser, list(argv))

    return build


def test_options_and_machine_are_settled(parse, tmp_path):
    cfg = prepare_config(parse('toy.py', '--cfg-options', 'randomness.seed=3'))
    assert cfg.randomness.seed == 3
    assert cfg.work_dir == os.path.join('work_dirs', 'toy')
    assert (tmp_path / 'work_dirs/toy').is_dir()
    assert cfg.train_dataloader.num_workers == min(64, os.cpu_count())
    assert cfg.train_dataloader.pin_memory == torch.cuda.is_available()
    assert str(tmp_path) in sys.path  # `projects.<name>` can be imported


def test_without_workers_none_persists(parse):
    cfg = prepare_config(parse('toy.py', '--cfg-options', 'train_dataloader.num_workers=0'))
    assert cfg.train_dataloader.persistent_workers is False


def test_weights_are_forgotten_at_every_depth():
    loss = dict(type='PerceptualEdgeLoss', weights='torchvision://vgg16')
    model = dict(init_cfg=1, net=dict(depth=18, stem=dict(init_cfg=dict(a=2))), losses=dict(e=loss))
    forget_weights(model)
    loss = dict(type='PerceptualEdgeLoss', weights='random')
    assert model == dict(net=dict(depth=18, stem={}), losses=dict(e=loss))


def test_autocast_reaches_one_optimiser_and_several():
    amp = dict(type='AutocastOptimWrapper')
    one = dict(type='OptimWrapper', optimizer=dict(type='SGD'), paramwise_cfg={})
    use_autocast(one)
    assert one == dict(amp, optimizer=dict(type='SGD'), paramwise_cfg={})
    several = dict(
        constructor='C', a=dict(optimizer={}), b=dict(modules=['x'], type='OptimWrapper')
    )
    use_autocast(several)
    assert several == dict(constructor='C', a=dict(amp, optimizer={}), b=dict(amp, modules=['x']))


def test_a_missing_config_is_named(parse):
    with pytest.raises(FileNotFoundError, match="`config` is 'nix.py'"):
        prepare_config(parse('nix.py'))


def test_a_work_dir_that_cannot_be_written_is_named(parse, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(ValueError, match='`work_dir` is .* cannot be written'):
        prepare_config(parse('toy.py', '--work-dir', str(tmp_path / 'file/below')))


def test_resume_finds_the_newest_in_a_moved_work_dir(tmp_path):
    assert resume_from('auto', str(tmp_path)) is None
    torch.save(dict(), tmp_path / 'epoch_3.pth')
    (tmp_path / 'last_checkpoint').write_text('/elsewhere/run/epoch_3.pth')
    assert resume_from('auto', str(tmp_path)) == str(tmp_path / 'epoch_3.pth')
    assert resume_from(None, str(tmp_path)) is None


@pytest.mark.parametrize('harm', ['cut', 'altered', 'gone'])
def test_a_damaged_checkpoint_is_said_and_the_one_before_it_is_used(harm, tmp_path, capsys):
    for epoch, age in ((1, 300), (2, 200), (3, 100)):
        path = tmp_path / f'epoch_{epoch}.pth'
        torch.save(dict(weight=torch.rand(100)), path)
        os.utime(path, (1e9 - age, 1e9 - age))
    (tmp_path / 'last_checkpoint').write_text(str(path))
    data = path.read_bytes()
    middle = data.index(torch.load(path)['weight'].numpy().tobytes()[:16])
    altered = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    path.write_bytes(dict(cut=data[: len(data) // 2], altered=altered, gone=b'')[harm])
    if harm == 'gone':
        path.unlink()
    assert resume_from('auto', str(tmp_path)) == str(tmp_path / 'epoch_2.pth')
    assert f'{path} cannot be resumed from' in capsys.readouterr().err
    with pytest.raises((ValueError, FileNotFoundError), match='epoch_3.pth'):
        resume_from(str(path), str(tmp_path))  # asked for by name, nothing else will do


def test_the_best_checkpoint_is_none_to_go_on_from(tmp_path):
    """It has no optimisers, and may be the newest."""
    torch.save(dict(), tmp_path / 'epoch_1.pth')
    torch.save(dict(), tmp_path / 'best_R1_epoch_2.pth')
    assert resume_from('auto', str(tmp_path)) == str(tmp_path / 'epoch_1.pth')


def test_nothing_whole_is_left(tmp_path):
    (tmp_path / 'epoch_1.pth').write_bytes(b'PK')
    with pytest.raises(ValueError, match='expected a whole checkpoint; damaged: .*epoch_1.pth'):
        resume_from('auto', str(tmp_path))


def test_resuming_from_a_missing_file_is_named(tmp_path):
    (tmp_path / 'last_checkpoint').write_text('/elsewhere/epoch_9.pth')
    for resume in ('auto', str(tmp_path / 'other.pth')):
        with pytest.raises(FileNotFoundError, match='no such file'):
            resume_from(resume, str(tmp_path))


def test_our_own_errors_become_one_line_and_others_keep_their_traceback():
    with (
        pytest.raises(SystemExit, match='^train: IdentityHead: `num_ids` is 0'),
        clear_errors('train'),
    ):
        IdentityHead(4, num_ids=0)
    with pytest.raises(ValueError, match='invalid literal'), clear_errors('train'):
        int('x')
    with pytest.raises(TypeError, match='not all arguments'), clear_errors('train'):
        noted_image('x')  # a bug's error within the package
