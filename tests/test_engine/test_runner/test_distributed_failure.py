"""A process that dies takes the job with it, and says why."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FAULT = '''
import os
import signal

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmvireid.registry import HOOKS

@HOOKS.register_module()
class Fault(Hook):
    """The second process does not live through its second iteration."""

    def __init__(self, killed):
        self.killed = killed

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if get_rank() == 1 and runner.iter == 1:
            if self.killed:
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError('this disk is gone')
'''


def run_two(config, port, tmp_path):
    """Train with two processes; their exit status, what they printed, and the seconds."""
    environment = os.environ | dict(
        PORT=port, PYTHON=sys.executable,
        CUDA_VISIBLE_DEVICES='-1', OMP_NUM_THREADS='1',
    )  # fmt: skip
    start = time.monotonic()
    finished = subprocess.run(
        [str(ROOT / 'tools/dist_train.sh'), config, '2', '--work-dir', 'two'],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return finished, time.monotonic() - start


@pytest.mark.parametrize('fault', ['error', 'kill', 'metric'])
def test_x(fault, shrink, tmp_path):
    cfg = shrink(str(ROOT / 'configs/agw/agw_synthetic.py'))
    (tmp_path / 'fault.py').write_text(FAULT)
    cfg.custom_imports = dict(imports=['fault'])
    if fault == 'metric':
        (tmp_path / 'a_file').touch()
        cfg.val_evaluator.save_features = 'a_file/features.npz'
    else:
        cfg.custom_hooks.append(dict(type='Fault', killed=fault == 'kill'))
    cfg.dump(tmp_path / 'two.py')
    finished, seconds = run_two('two.py', '29743', tmp_path)
    Path(f'/tmp/eq/{fault}.txt').write_text(
        f'{seconds} {finished.returncode}\n{finished.stdout}\n=====\n{finished.stderr}')
