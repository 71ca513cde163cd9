import math

import pytest
import torch
import torch.nn.functional as F

from mmvireid.models.losses import BatchCircleLoss

LABELS = torch.tensor([0, 1, 0, 2, 1, 2, 0])


def slow(x, labels, m, scale):
    """Pairs written out; factors are plain numbers."""
    total = 0
    for i in range(len(x)):
        positive = negative = 0
        for j in range(len(x)):
            s = F.cosine_similarity(x[i], x[j], dim=0)
            if labels[i] != labels[j]:
                negative = negative + torch.exp(scale * max(s.item() + m, 0) * (s - m))
            elif i != j:
                positive = positive + torch.exp(-scale * max(1 + m - s.item(), 0) * (s - 1 + m))
        total = total + torch.log1p(positive * negative) / len(x)
    return total


@pytest.mark.parametrize('scale', [0.2, 4])
@pytest.mark.parametrize(('margin', 'value'), [(0.45, 68.992547332), (0.5, 63.27467)])
def test_golden_values_at_any_scale(golden_batch, scale, margin, value):
    found = BatchCircleLoss(margin)(*golden_batch(scale)).item()
    assert found == pytest.approx(value, abs=5e-5 if margin == 0.5 else 1e-8)


def test_equals_a_slow_loop_and_its_gradient():
    x = torch.randn(7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x.requires_grad_(True)
    ours, theirs = BatchCircleLoss(0.3, 4.0)(x, LABELS), slow(x, LABELS, 0.3, 4.0)
    torch.testing.assert_close(ours, theirs)
    found, expected = (torch.autograd.grad(value, x)[0] for value in (ours, theirs))
    torch.testing.assert_close(found, expected)


def test_an_image_without_a_pair_adds_nothing():
    x = torch.eye(3, 4, requires_grad=True)
    loss = BatchCircleLoss()(x, torch.tensor([0, 1, 2]))
    loss.backward()
    assert loss == 0 and x.grad.eq(0).all()


def test_perfect_rows_cost_nearly_nothing():
    x = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
    found = BatchCircleLoss(0.25, 64.0)(x, torch.tensor([0, 0, 1, 1])).item()
    # push: two negatives beyond reach (factor 0), pull: exp(-64 * 0.25 * 0.25)
    assert found == pytest.approx(math.log1p(2 * math.exp(-4)), rel=1e-5)


@pytest.mark.parametrize('arguments', [dict(margin=1.5), dict(scale=0)])
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match=r'`margin` is .* and `scale`'):
        BatchCircleLoss(**arguments)
