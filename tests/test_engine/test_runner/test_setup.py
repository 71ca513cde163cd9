import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmvireid.commands import CommandParser, parse_run_args
from mmvireid.datasets.loading.worker_failure import noted_image
from mmvireid.engine.runner import (
    clear_errors,
    code_commit,
    forget_weights,
    package_version,
    prepare_config,
    read_config,
    resume_from,
    settle_resume,
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


def test_what_config_files_hand_to_each_other_is_not_in_what_they_make(tmp_path):
    (tmp_path / 'base.py').write_text('_parts = dict(a=dict(num_epochs=3))\n_n = 2\n')
    (tmp_path / 'child.py').write_text(
        "_base_ = 'base.py'\n_more = 4\nmine = dict(_base_._parts.a, seed=_base_._n, _own=_more)\n"
    )
    cfg = read_config(str(tmp_path / 'child.py'))
    assert cfg.to_dict() == dict(mine=dict(num_epochs=3, seed=2, _own=4))


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
    assert resume_from('auto', str(tmp_path), says=False) == str(tmp_path / 'epoch_2.pth')
    assert capsys.readouterr().err == ''
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


def test_a_switch_of_every_command_shows_the_traceback():
    parser = CommandParser()
    parser.parse_args(['--traceback'])
    with pytest.raises(ValueError, match='IdentityHead'), clear_errors('train'):
        IdentityHead(4, num_ids=0)
    parser.parse_args([])
    with pytest.raises(SystemExit, match='IdentityHead'), clear_errors('train'):
        IdentityHead(4, num_ids=0)


def test_every_command_has_that_switch_and_uses_its_own_clone():
    tools = Path(__file__).parents[3] / 'tools'
    for path in tools.rglob('*.py'):
        text = path.read_text()
        if 'from mmvireid' in text:
            if path.name != 'run_onnx.py':  # does without MMEngine's options
                assert re.search('CommandParser[()]|model_parser[()]', text), path
            depth = len(path.relative_to(tools).parts)
            line = f'sys.path.insert(0, str(Path(__file__).resolve().parents[{depth}]))'
            assert 0 < text.find(line) < text.find('\nfrom mmvireid'), path


@pytest.mark.parametrize(
    'tool', ['demo.py', 'analysis_tools/eval_features.py', 'dataset_converters/check_dataset.py']
)
def test_a_command_runs_the_package_of_its_own_clone(tool, tmp_path):
    """A clone beside the one that is installed, or that PYTHONPATH names."""
    root = Path(__file__).parents[3]
    shutil.copytree(root / 'tools', tmp_path / 'tools')
    (tmp_path / 'mmvireid').mkdir()
    (tmp_path / 'mmvireid/__init__.py').write_text("raise SystemExit('of this clone')")
    finished = subprocess.run(
        [sys.executable, str(tmp_path / 'tools' / tool), '--help'],
        env=os.environ | dict(PYTHONPATH=str(root)),
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.stderr.strip().endswith('of this clone')


def test_the_running_copy_is_named():
    assert package_version().endswith(f' from {Path(__file__).resolve().parents[3]}/mmvireid')


@pytest.mark.parametrize('key', ['val_evaluator', 'test_evaluator'])
def test_half_a_validation_or_test_is_named(parse, key):
    loop = key.split('_')[0]
    with open('toy.py', 'a') as file:
        file.write(f'{loop}_dataloader = dict()\n{loop}_cfg = dict()\n')
    with pytest.raises(ValueError, match=f'`{key}` is None'):
        prepare_config(parse('toy.py'))


@pytest.fixture
def settle(parse, tmp_path):
    """``settle('resume = True', '--resume')``: the checkpoint, and the config that is left."""

    def run(text, *argv):
        (tmp_path / 'toy.py').write_text(f"default_scope = 'mmvireid'\n{text}\n")
        parser = CommandParser()
        parser.add_argument('config')
        parser.add_argument('--resume', nargs='?', const='auto')
        args = parse_run_args(parser, ['toy.py', '--work-dir', 'w', *argv])
        cfg = prepare_config(args)
        return settle_resume(cfg, args), cfg

    return run


def test_what_a_run_goes_on_from_is_not_in_the_config_that_it_leaves(settle, tmp_path, capsys):
    checkpoint, cfg = settle('load_from = "a.pth"', '--resume')
    assert (checkpoint, cfg.resume, cfg.load_from) == (None, False, 'a.pth')
    assert 'no checkpoint in w yet' in capsys.readouterr().out
    (tmp_path / 'w').mkdir(exist_ok=True)
    torch.save(dict(), tmp_path / 'w/epoch_3.pth')
    (tmp_path / 'w/last_checkpoint').write_text('/w/epoch_3.pth')
    for options in (['--resume'], ['--cfg-options', 'resume=True']):
        checkpoint, cfg = settle('', *options)
        assert (checkpoint, cfg.resume) == ('w/epoch_3.pth', False)
    checkpoint, cfg = settle('resume = True', '--resume', 'w/epoch_3.pth')
    assert (checkpoint, cfg.resume) == ('w/epoch_3.pth', False)
    assert capsys.readouterr().out == ''
    assert settle('')[0] is None
    assert 'will overwrite' in capsys.readouterr().out


def test_a_config_that_resumes_by_itself_is_refused(settle):
    with pytest.raises(
        ValueError, match=r"`resume` is True in toy.py \(with `load_from` 'a.pth'\)"
    ):
        settle('resume = True\nload_from = "a.pth"')
    with pytest.raises(ValueError, match='`resume` is True'):
        settle('resume = True', '--resume')  # there is nothing to go on from


def test_the_commit_is_that_of_the_clone_alone(tmp_path):
    def git(*arguments):
        identity = ['-c', 'user.name=a', '-c', 'user.email=a']
        command = ['git', '-C', str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert code_commit(tmp_path) == 'unknown'
    git('init')
    (tmp_path / 'code.py').write_text('a = 1')
    git('add', '.')
    git('commit', '-m', 'first')
    head = git('rev-parse', 'HEAD')[:12]
    (tmp_path / 'installed').mkdir()
    (tmp_path / 'installed/other.py').write_text('b = 1')
    assert code_commit(tmp_path) == head
    assert code_commit(tmp_path / 'installed') == 'unknown'  # a copy in a clone of something else
    (tmp_path / 'code.py').write_text('a = 2')
    assert code_commit(tmp_path) == f'{head}+'
