import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner import Runner

from mmvireid.engine.hooks import FiniteLossHook

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
    assert 'Checkpoints from before iteration 4 are sound' in message
    for name in ('loss_cycle', 'largest_identity_log_var', 'largest_ambiguous_log_var'):
        value = message.split(f'vae/{name} ')[1].split()[0].rstrip(',.')
        assert math.isfinite(float(value)), name
    # the checkpoint of the last good epoch is the newest, and whole
    checkpoints = sorted(path.name for path in Path(cfg.work_dir).glob('*.pth'))
    assert checkpoints == ['epoch_1.pth']
    weights = torch.load(Path(cfg.work_dir, 'epoch_1.pth'), weights_only=True)['state_dict']
    assert all(torch.isfinite(value).all() for value in weights.values())


@pytest.fixture
def run():
    """``run(hook, key=[values])``: iteration after iteration; the message it stops with, if any."""

    def call(hook, optim_wrapper=None, **series):
        runner = SimpleNamespace(
            message_hub=MessageHub('finite'),  # a fresh one
            optim_wrapper=optim_wrapper,
            epoch=0,
        )
        for runner.iter, values in enumerate(zip(*series.values())):
            outputs = dict(zip(series, values))
            for key, value in outputs.items():
                runner.message_hub.update_scalar(f'train/{key}', value)
            try:
                hook.after_train_iter(runner, 0, outputs=outputs)
            except RuntimeError as error:
                return str(error)
        return None

    return call


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ('patience', 'values', 'stops'),
    [
        (1, [1.0, NAN, 1.0], 2),
        (3, [NAN, NAN, 1.0, NAN, INF, 1.0], None),  # never three in a row
        (3, [1.0, NAN, INF, NAN, NAN], 4),
        (2, [INF, NAN], 2),
        (2, [INF], None),
    ],
)
def test_patience_counts_iterations_in_a_row(patience, values, stops, run):
    message = run(FiniteLossHook(patience), loss_a=values, loss_b=[0.5] * len(values))
    if stops is None:
        assert message is None
    else:
        assert f'`loss_a` is {values[stops - 1]} in iteration {stops} (epoch 1)' in message
        assert f'before iteration {stops - patience + 1} are sound' in message
        assert (f'in the {patience - 1} before' in message) == (patience > 1)


def test_two_values_that_take_turns_are_not_in_a_row(run):
    assert run(FiniteLossHook(2), loss_a=[NAN, 1.0] * 3, loss_b=[1.0, NAN] * 3) is None


def test_a_gradient_norm_may_overflow_only_under_loss_scaling(run):
    key = {'adversarial/critic.grad_norm': [1.0, INF]}
    scaled = dict(critic=AmpOptimWrapper.__new__(AmpOptimWrapper))
    plain = dict(critic=OptimWrapper.__new__(OptimWrapper))
    assert run(FiniteLossHook(), scaled, **key) is None
    assert '`adversarial/critic.grad_norm` is inf' in run(FiniteLossHook(), plain, **key)
    assert '`loss_real` is nan' in run(FiniteLossHook(), scaled, **key, loss_real=[1.0, NAN])


def test_patience_below_one_is_named():
    with pytest.raises(ValueError, match='FiniteLossHook: `patience` is 0, expected at least 1'):
        FiniteLossHook(patience=0)
