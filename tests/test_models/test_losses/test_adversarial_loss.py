import math

import pytest
import torch

from mmvireid.models.losses import AdversarialLoss


@pytest.mark.parametrize('real', [True, False])
def test_equals_a_slow_loop(real):
    logits = torch.randn(
        2, 1, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    expected = 0.0
    for logit in logits.flatten().tolist():
        probability = 1 / (1 + math.exp(-logit))
        expected -= math.log(probability if real else 1 - probability) / 12
    assert AdversarialLoss()(logits, real).item() == pytest.approx(expected)


@pytest.mark.parametrize(('real', 'sign'), [(True, -1), (False, 1)])
def test_confident_mistakes_keep_a_full_gradient(real, sign):
    """The non-saturating form: a fake that is surely found still learns."""
    logits = torch.full((1,), 200.0 * sign, requires_grad=True)
    loss = AdversarialLoss()(logits, real)
    loss.backward()
    assert loss.item() == pytest.approx(200)
    assert logits.grad.item() == pytest.approx(sign)
