import math
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

CONFIG = Path(__file__).parents[3] / 'configs/dgvae/dgvae_synthetic.py'


class Spoil(Hook):
    """Make the reconstruction loss infinite from one iteration on."""

    def __init__(self, at):
        self.at = at

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.at:
            loss = runner.model.losses['reconstruction']
            loss.register_forward_hook(lambda *_: torch.tensor(math.inf, requires_grad=True))


def test_training_stops_with_the_term_the_iteration_and_the_values(shrink):
    cfg = shrink(str(CONFIG))
    cfg.default_hooks.checkpoint.max_keep_ckpts = -1
    runner = Runner.from_cfg(cfg)
    runner.register_hook(Spoil(at=3))
    with pytest.raises(RuntimeError) as error:
        runner.train()
    message = str(error.value)
    assert '`vae/loss_reconstruction` is inf in iteration 4 (epoch 2)' in message
    for name in ('loss_cycle', 'largest_identity_log_var', 'largest_ambiguous_log_var'):
        value = message.split(f'vae/{name} ')[1].split()[0].rstrip(',.')
        assert math.isfinite(float(value)), name
    # the checkpoint of the last good epoch is the newest, and whole
    checkpoints = sorted(path.name for path in Path(cfg.work_dir).glob('*.pth'))
    assert checkpoints == ['epoch_1.pth']
    weights = torch.load(Path(cfg.work_dir, 'epoch_1.pth'), weights_only=True)['state_dict']
    assert all(torch.isfinite(value).all() for value in weights.values())
