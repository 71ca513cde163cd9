import math

import pytest
import torch

from mmvireid.models.losses import MeanDiscrepancyLoss, mean_discrepancy


def test_golden_values(golden_batch):
    x, _ = golden_batch(1)
    visible, infrared = x.chunk(2)
    unit = MeanDiscrepancyLoss()(visible, infrared).item()
    assert unit == pytest.approx(0.13755665783899, abs=1e-12)
    raw = MeanDiscrepancyLoss(normalize=False)(visible, infrared).item()
    assert raw == pytest.approx(0.13527834536, abs=1e-10)


def test_equals_a_slow_loop_with_groups_of_different_size():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(4, 3, generator=g, dtype=torch.float64)
    y = torch.randn(2, 3, generator=g, dtype=torch.float64) + 1
    rows = [*x, *y]
    gaps = [(a - b).square().sum().item() for a in rows for b in rows]
    width = sum(gaps) / 30 / 4

    def mean(first, second):
        kernels = [
            math.exp(-(a - b).square().sum().item() / (width * 2**i))
            for a in first for b in second for i in range(5)
        ]  # fmt: skip
        return sum(kernels) / len(first) / len(second)

    expected = mean(x, x) + mean(y, y) - 2 * mean(x, y)
    assert mean_discrepancy(x, y).item() == pytest.approx(expected)


def test_no_gradient_goes_through_the_width():
    """With it, moving everything apart would change nothing."""
    x = torch.tensor([[0.0], [1.0]], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([[3.0], [5.0]], dtype=torch.float64)
    loss = mean_discrepancy(x, y, num_kernels=1)
    (found,) = torch.autograd.grad(loss, x)
    width = sum((a - b) ** 2 for a in (0, 1, 3, 5) for b in (0, 1, 3, 5)) / 12

    def kernel(a, b):
        return ((-((a - b) ** 2)) / width).exp()

    own = [kernel(a, b) for a in x for b in x]
    across = [kernel(a, b) for a in x for b in y]
    (expected,) = torch.autograd.grad(sum(own) / 4 - 2 * sum(across) / 4, x)
    torch.testing.assert_close(found, expected)


def test_no_kernel_is_refused():
    with pytest.raises(ValueError, match='`num_kernels` is 0'):
        MeanDiscrepancyLoss(num_kernels=0)
