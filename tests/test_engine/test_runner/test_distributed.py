"""Jobs of two processes on CPUs, trained through all stages, or ended by a fault.

What they compute is in test_distributed_equivalence.py, what they evaluate in
test_tools/test_train_and_test.py.
"""

import os
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
import torch

from mmvireid.engine.runner import distributed

ROOT = Path(__file__).parents[3]
HOOKS = '''
import os
import signal
from pathlib import Path

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner.checkpoint import get_state_dict
from mmvireid.registry import HOOKS

@HOOKS.register_module()
class RankRecorder(Hook):
    """Every process writes down its own model, first and after every epoch."""

    def before_train(self, runner):
        self.save(runner, 'first')

    def after_train_epoch(self, runner):
        self.save(runner, f'after_{runner.epoch + 1}')

    def save(self, runner, name):
        path = Path(runner.work_dir, f'{name}_{get_rank()}.pth')
        torch.save(get_state_dict(runner.model), path)

@HOOKS.register_module()
class Fault(Hook):
    """The second process dies in the second iteration, if not another in the evaluation then."""

    def __init__(self, kind):
        self.kind = kind

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if get_rank() == 1 and runner.iter == 1:
            Path('fault').touch()
            if self.kind == 'kill':
                os.kill(os.getpid(), signal.SIGKILL)
            if self.kind == 'signal':
                os.kill(os.getpid(), signal.SIGTERM)
            if self.kind == 'error':
                raise OSError('the disk is gone')
'''
#: One job for several configs, by what `tools/train.py` does; what has a work dir is resumed.
SEVERAL = f"""
import os
import runpy
import sys

parse_args = runpy.run_path({str(ROOT / 'tools/train.py')!r})['parse_args']

from mmvireid.apis.training import train
from mmvireid.engine.runner import distributed, prepare_config

runs = []
for name in sys.argv[1:]:  # before one process makes a folder that another looks for
    options = ['--resume'] if os.path.exists(name) else []
    options += ['--work-dir', name, '--launcher', 'pytorch']
    runs.append(parse_args([f'{{name}}.py', *options]))
with distributed('pytorch'):
    for args in runs:
        train(prepare_config(args), args)
"""


def start(command, folder, limit=90):
    """A job of two processes, which has ended."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    environment = os.environ | dict(
        PORT=str(port), PYTHON=sys.executable, CUDA_VISIBLE_DEVICES='-1', OMP_NUM_THREADS='1'
    )
    return subprocess.run(
        command,
        cwd=folder, env=environment, capture_output=True, text=True, timeout=limit, check=False,
    )  # fmt: skip


@pytest.fixture
def prepare(tmp_path, narrow_code):
    """``prepare(cfg, hook, name)``: a config file of that name, with a hook more."""

    def write(cfg, hook, name):
        (tmp_path / 'own_hooks.py').write_text(narrow_code + HOOKS)
        cfg.custom_imports = dict(imports=['own_hooks'])
        cfg.custom_hooks.append(hook)
        cfg.experiment_name = name
        cfg.dump(tmp_path / f'{name}.py')

    return write


@pytest.fixture
def train_two(prepare, tmp_path):
    """``train_two(cfg, hook)``: a finished job of two processes in the folder ``two``."""

    def run(cfg, hook):
        prepare(cfg, hook, 'two')
        script = str(ROOT / 'tools/dist_train.sh')
        return start([script, 'two.py', '2', '--work-dir', 'two'], tmp_path)

    return run


@pytest.fixture
def train_several(tmp_path):
    """``train_several(*names)``: one job of two processes for config files, which succeeds."""

    def run(*names):
        (tmp_path / 'several.py').write_text(SEVERAL)
        launch = [
            sys.executable,
            '-m',
            'torch.distributed.run',
            '--standalone',
            '--nproc-per-node=2',
        ]
        finished = start([*launch, 'several.py', *names], tmp_path, limit=240)
        assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-4000:]

    return run


def test_two_processes_stay_equal_through_all_stages(shrink, prepare, train_several, tmp_path):
    """One job for three methods."""
    configs = {
        name: shrink(str(ROOT / f'configs/{config}_sysu.py'))
        for name, config in dict(
            dgvae='dgvae/dgvae-discriminator', aligngan='aligngan/aligngan', hicmd='hicmd/hicmd'
        ).items()
    }
    for name, cfg in configs.items():
        prepare(cfg, dict(type='RankRecorder'), name)
    train_several(*configs)
    for name, cfg in configs.items():
        check_equal_through_all_stages(tmp_path / name, cfg.train_cfg.max_epochs)


def check_equal_through_all_stages(folder, last):
    def load(name):
        return [torch.load(folder / f'{name}_{rank}.pth', weights_only=True) for rank in (0, 1)]

    start = load('first')[0]
    for epoch in range(1, last + 1):  # a stage each
        ours, theirs = load(f'after_{epoch}')
        for key, value in ours.items():
            assert torch.equal(value, theirs[key]), (folder.name, epoch, key)
    assert set(ours) == set(start)
    assert {k.split('.')[0] for k in ours if not torch.equal(ours[k], start[k])} == {
        key.split('.')[0] for key in start
    }
    checkpoint = torch.load(folder / f'epoch_{last}.pth', weights_only=True)['state_dict']
    assert all(torch.isfinite(value).all() for value in checkpoint.values())
    assert set(checkpoint) == set(start)  # the names that one process has, without the wrappers'


@pytest.mark.parametrize(
    ('fault', 'rank', 'message'),
    [
        ('error', 1, '[rank1]: OSError: the disk is gone'),
        ('kill', 1, 'Signal 9 (SIGKILL)'),
        ('evaluation', 0, '[rank0]: FileExistsError'),  # the others wait for rank 0's figures
    ],
)
def test_a_process_that_dies_ends_the_job_with_its_error(
    fault, rank, message, shrink, train_two, tmp_path
):
    cfg = shrink(str(ROOT / 'configs/agw/agw_synthetic.py'))
    if fault == 'evaluation':
        (tmp_path / 'file').touch()
        cfg.val_evaluator.out_dir = 'file'
    finished = train_two(cfg, dict(type='Fault', kind=fault))
    assert time.time() - (tmp_path / 'fault').stat().st_mtime < 60
    assert finished.returncode != 0
    assert message in finished.stderr, finished.stderr[-4000:]
    assert f'rank      : {rank} ' in finished.stderr.split('Root Cause')[1]


def test_a_signal_to_one_process_ends_all_after_the_same_iteration(
    shrink, prepare, train_two, train_several, tmp_path
):
    """And nothing is lost, though every process has BatchNorm statistics of its own."""
    cfg = shrink(str(ROOT / 'configs/agw/agw_synthetic.py'))
    cfg.train_dataloader.batch_sampler.num_batches = 3
    finished = train_two(cfg.copy(), dict(type='Fault', kind='signal'))
    assert 'exitcode  : 143' in finished.stderr, finished.stderr[-4000:]  # 128 + 15
    recovery = tmp_path / 'two/recovery_2.pth'
    meta = torch.load(recovery, weights_only=True)['meta']
    assert (meta['epoch'], meta['iter']) == (0, 2)
    for name in ('two', 'straight'):
        prepare(cfg.copy(), dict(type='RankRecorder'), name)
    train_several('two', 'straight')  # the first goes on
    assert not recovery.exists()
    resumed, straight = (
        torch.load(tmp_path / name / 'epoch_1.pth', weights_only=True)['state_dict']
        for name in ('two', 'straight')
    )
    for key, value in straight.items():
        assert torch.equal(resumed[key], value), key


@pytest.mark.parametrize(('rank', 'count'), [('0', 1), ('1', 0)])
def test_one_process_passes_on_what_python_warns_of(rank, count, monkeypatch):
    monkeypatch.setenv('SLURM_PROCID', rank)
    monkeypatch.setattr('sys.warnoptions', [])
    with warnings.catch_warnings(record=True) as heard, distributed('slurm'):
        warnings.warn('of every process', stacklevel=1)
    assert len(heard) == count
