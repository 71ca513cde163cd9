import pytest
import torch

from mmvireid.models.losses import HeteroCenterTripletLoss

LABELS = torch.tensor([4, 9, 4, 2, 4, 2, 9, 2, 9, 9, 4])  # 5 visible, 6 infrared, uneven


def slow(x, labels, num_visible, margin):
    """Loop over identities and modalities."""
    centers = {}
    for m, rows in enumerate((range(num_visible), range(num_visible, len(x)))):
        for k in set(labels.tolist()):
            centers[k, m] = torch.stack([x[i] for i in rows if labels[i] == k]).mean(0)
    total = 0.0
    for (k, m), center in centers.items():
        positive = (center - centers[k, 1 - m]).norm()
        negative = min((center - c).norm() for (j, _), c in centers.items() if j != k)
        total += max(0.0, (margin + positive - negative).item())
    return total / len(centers)


@pytest.mark.parametrize(
    ('scale', 'value'),
    [(0.2, 0.3900935516404798), (1, 0.7593973801221316), (4, 2.214392349891141),
     (10, 5.142230874727845)],
)  # fmt: skip
def test_golden_values(golden_batch, scale, value):
    x, labels = golden_batch(scale)
    assert HeteroCenterTripletLoss()(x, labels, 32).item() == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize('normalize', [False, True])
def test_equals_a_slow_loop(normalize):
    x = torch.randn(11, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    loss = HeteroCenterTripletLoss(0.5, normalize)(x, LABELS, 5)
    rows = x / x.norm(dim=1, keepdim=True) if normalize else x
    assert loss.item() == pytest.approx(slow(rows, LABELS, 5, 0.5))
    assert loss > 0


def test_equal_centres_have_a_finite_gradient():
    x = torch.tensor([[0.0], [1.0], [0.0], [1.0]], requires_grad=True)
    HeteroCenterTripletLoss(2.0)(x, torch.tensor([0, 1, 0, 1]), 2).backward()
    assert torch.isfinite(x.grad).all()
