import pytest
import torch

from mmvireid.models.losses import SoftIdentityLoss


@pytest.mark.parametrize(
    ('scale', 'value'),
    [(0.2, 2.775972439428129), (1, 2.884399386141115), (4, 4.7235825184696045),
     (10, 10.212436847523389)],
)  # fmt: skip
def test_golden_values(golden_batch, scale, value):
    visible, infrared = golden_batch(scale)[0].chunk(2)
    assert SoftIdentityLoss()(visible, infrared).item() == pytest.approx(value, abs=1e-10)


def test_the_target_learns_nothing():
    logits, target = torch.randn(2, 3, 4).requires_grad_().unbind()
    logits.retain_grad(), target.retain_grad()
    SoftIdentityLoss()(logits, target).backward()
    assert logits.grad.abs().min() > 0
    assert target.grad is None
