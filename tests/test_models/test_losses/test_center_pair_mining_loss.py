import pytest
import torch

from mmvireid.models.losses import CenterPairMiningLoss

LABELS = torch.tensor([4, 9, 4, 2, 4, 2, 9, 2, 9, 9, 4])  # 5 visible, 6 infrared, uneven


@pytest.mark.parametrize(
    ('scale', 'value'),
    [(0.2, 0.8236739557271059), (1, 2.5185307117828826), (4, 8.95758592794971),
     (10, 21.894587239091333)],
)  # fmt: skip
def test_golden_values(golden_batch, scale, value):
    x, labels = golden_batch(scale)
    branch = 0.5 * x.roll(3, 1) + 0.25 * x
    loss = CenterPairMiningLoss()(x, branch, labels, 32)
    assert loss.item() == pytest.approx(value, abs=1e-9)


def slow(x, branch, num_visible, margin):
    """Loop over identities and modalities."""
    total, identities = 0.0, sorted(set(LABELS.tolist()))
    parts = (range(num_visible), range(num_visible, len(x)))

    def center(rows, k, m):
        return torch.stack([rows[i] for i in parts[m] if LABELS[i] == k]).mean(0)

    for k in identities:
        for m in (0, 1):
            wanted = (center(x, k, 1 - m) - center(branch, k, m)).norm()
            bounds = [(1.0, (center(x, k, m) - center(branch, k, m)).norm().detach())]
            for rows in (x, branch):
                others = [center(rows, j, m) for j in identities if j != k]
                nearest = min((center(rows, k, m) - other).norm() for other in others)
                bounds.append((0.5, nearest))
            total = total + sum(w * (wanted - d + margin).clamp(min=0) for w, d in bounds) / 2
    return total / len(identities)


def test_value_and_gradients_equal_a_slow_loop():
    """Gradients tell which of the distances is held fast."""
    x, branch = torch.randn(2, 11, 4, generator=torch.Generator().manual_seed(0)).double()
    found, expected = [], []
    for values, function in (
        (found, lambda a, b: CenterPairMiningLoss(0.5)(a, b, LABELS, 5)),
        (expected, lambda a, b: slow(a, b, 5, 0.5)),
    ):
        leaves = [x.clone().requires_grad_(), branch.clone().requires_grad_()]
        loss = function(*leaves)
        values += [loss.detach(), *torch.autograd.grad(loss, leaves)]
    torch.testing.assert_close(found, expected)


def test_equal_centres_have_a_finite_gradient():
    x = torch.tensor([[0.0], [1.0], [0.0], [1.0]], requires_grad=True)
    CenterPairMiningLoss()(x, 1 * x, torch.tensor([0, 1, 0, 1]), 2).backward()
    assert torch.isfinite(x.grad).all()
