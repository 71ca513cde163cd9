import math

import pytest
import torch

from mmvireid.models.losses import SquaredDifferenceTripletLoss


def slow(x, labels):
    """Loop over the anchors, as released: with 1e-6 in the denominators."""
    total = 0.0
    for i in range(len(x)):
        d = [max((x[i] - x[j]).square().sum().item(), 1e-12) ** 0.5 for j in range(len(x))]
        sums = []
        for same, sign in ((True, 1), (False, -1)):
            own = [d[j] for j in range(len(x)) if (labels[j] == labels[i]) == same]
            shift = max(own) if same else 0.0
            weights = [math.exp(sign * value - shift) for value in own]
            sums.append(sum(w * v for w, v in zip(weights, own)) / (sum(weights) + 1e-6))
        gap = sums[0] - sums[1]
        total += math.log1p(math.exp(math.copysign(min(gap**2, 88.0), gap)))
    return total / len(x)


@pytest.mark.parametrize(
    ('scale', 'value'),
    [(0.2, 0.669537181870), (1, 0.767434966638), (4, 80.763943125333), (10, 88.0)],
)
def test_golden_values(golden_batch, scale, value):
    x, labels = golden_batch(scale)
    assert SquaredDifferenceTripletLoss()(x, labels).item() == pytest.approx(value, abs=1e-9)


def test_equals_a_slow_loop():
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = torch.tensor([2, 0, 1, 0, 2, 1, 1, 2, 0])
    loss = SquaredDifferenceTripletLoss()(x, labels)
    assert loss.item() == pytest.approx(slow(x, labels.tolist()), abs=1e-6)


def test_far_apart_there_is_no_gradient(golden_batch):
    x, labels = golden_batch(10)
    x.requires_grad_()
    SquaredDifferenceTripletLoss()(x, labels).backward()
    assert x.grad.abs().max() == 0


def test_an_unknown_mode_is_refused(golden_batch):
    with pytest.raises(ValueError, match="`eps_mode` is 'exact'"):
        SquaredDifferenceTripletLoss('exact')(*golden_batch(1))
