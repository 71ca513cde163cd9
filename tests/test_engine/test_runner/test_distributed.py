"""Two processes on CPUs; what one optimiser does there is in test_tools/test_train_and_test.py."""

import os
import subprocess
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).parents[3]
RECORDER = '''
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner.checkpoint import get_state_dict
from mmvireid.registry import HOOKS

@HOOKS.register_module()
class RankRecorder(Hook):
    """Every process writes down its own model, first and last."""

    def before_train(self, runner):
        torch.save(get_state_dict(runner.model), f'first_{get_rank()}.pth')

    def after_train_epoch(self, runner):
        torch.save(get_state_dict(runner.model), f'epoch_{runner.epoch + 1}_{get_rank()}.pth')
'''


def test_two_processes_stay_equal_through_all_stages(shrink, tmp_path):
    cfg = shrink(str(ROOT / 'configs/dgvae/dgvae-discriminator_sysu.py'))
    (tmp_path / 'rank_recorder.py').write_text(RECORDER)
    cfg.custom_imports = dict(imports=['rank_recorder'])
    cfg.custom_hooks.append(dict(type='RankRecorder'))
    cfg.dump(tmp_path / 'two.py')
    environment = os.environ | dict(
        PORT='29621', PYTHON=sys.executable, PYTHONPATH=str(tmp_path),
        CUDA_VISIBLE_DEVICES='-1', OMP_NUM_THREADS='1',
    )  # fmt: skip
    finished = subprocess.run(
        [str(ROOT / 'tools/dist_train.sh'), 'two.py', '2', '--work-dir', 'two'],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-4000:]

    def load(name):
        return [torch.load(tmp_path / f'{name}_{rank}.pth', weights_only=True) for rank in (0, 1)]

    start = load('first')[0]
    for epoch in (1, 2, 3):  # a stage each
        ours, theirs = load(f'epoch_{epoch}')
        for key, value in ours.items():
            assert torch.equal(value, theirs[key]), (epoch, key)
    assert set(ours) == set(start)
    assert {k.split('.')[0] for k in ours if not torch.equal(ours[k], start[k])} == {
        key.split('.')[0] for key in start
    }
    checkpoint = torch.load(tmp_path / 'two/epoch_3.pth', weights_only=True)['state_dict']
    assert all(torch.isfinite(value).all() for value in checkpoint.values())
