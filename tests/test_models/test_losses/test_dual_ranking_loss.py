import pytest
import torch

from mmvireid.models.losses import DualRankingLoss, dual_ranking

LABELS = torch.tensor([4, 9, 4, 2, 4, 2, 9, 2, 9, 9, 4])  # 5 visible, 6 infrared, uneven


def one_per_identity(golden_batch):
    """A row of each identity and modality, of length 1."""
    x, labels = golden_batch(1)
    rows = torch.arange(0, 64, 4)
    return x[rows] / x[rows].norm(dim=1, keepdim=True), labels[rows]


def distance(x, a):
    return lambda b: (x[a] - x[b]).norm().item()


def slow(x, labels, num_visible, margin, intra_margin):
    """Loop over the anchors."""
    sides = list(range(num_visible)), list(range(num_visible, len(x)))
    terms = [0.0, 0.0]
    for anchors, others in (sides, sides[::-1]):
        for a in anchors:
            p, n = (
                pick((j for j in others if (labels[j] == labels[a]) == same), key=distance(x, a))
                for pick, same in ((max, True), (min, False))
            )
            gap, within = distance(x, a)(p) - distance(x, a)(n), distance(x, p)(n)
            hinges = margin + gap, intra_margin - within
            terms = [t + max(0.0, h) / len(anchors) for t, h in zip(terms, hinges)]
    return terms


def test_golden_values(golden_batch):
    x, labels = one_per_identity(golden_batch)
    cross, intra = dual_ranking(x, labels, 8)
    assert cross.item() == pytest.approx(1.058178457700, abs=1e-10)
    assert intra.item() == 0
    assert dual_ranking(x, labels, 8, intra_margin=1.5)[1].item() == pytest.approx(
        0.811645953436, abs=1e-10
    )
    assert DualRankingLoss()(3 * x, labels, 8).item() == pytest.approx(cross.item())


def test_equals_a_slow_loop():
    x = torch.randn(11, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = dual_ranking(x, LABELS, 5, 0.5, 3.0)
    expected = slow(x, LABELS, 5, 0.5, 3.0)
    assert [term.item() for term in found] == pytest.approx(expected)
    loss = DualRankingLoss(0.5, 3.0, intra_weight=0.3, normalize=False)(x, LABELS, 5)
    assert loss.item() == pytest.approx(expected[0] + 0.3 * expected[1])
    without = DualRankingLoss(0.5, 3.0, intra_weight=0.0, normalize=False)(x, LABELS, 5)
    assert without.item() == pytest.approx(expected[0])  # BCTR
