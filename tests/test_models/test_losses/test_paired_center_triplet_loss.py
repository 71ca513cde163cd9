import pytest
import torch

from mmvireid.models.losses import PairedCenterTripletLoss

LABELS = torch.tensor([4, 9, 4, 2, 4, 2, 9, 2, 9, 9, 4])  # 5 in the first group, 6 in the second


def slow(x, labels, num_first, margin, distance):
    """Loop over the identities."""
    names = sorted(set(labels.tolist()))
    centers = [
        [torch.stack([x[i] for i in rows if labels[i] == k]).mean(0) for k in names]
        for rows in (range(num_first), range(num_first, len(x)))
    ]

    def length(k, j):
        a, b = centers[0][k], centers[1][j]
        lengths = (a, b) if distance == 'euclidean' else (centers[0][j], centers[1][k])
        square = sum(v.square().sum() for v in lengths) - 2 * a @ b
        return max(square.item(), 1e-12) ** 0.5

    total, others = 0.0, range(len(names))
    for k in others:
        negative = min(min(length(k, j), length(j, k)) for j in others if j != k)
        total += max(0.0, margin + length(k, k) - negative)
    return total / len(names)


@pytest.mark.parametrize(
    ('scale', 'euclidean', 'released'),
    [(0.2, 0.574891500456, 0.787159541306), (1, 0.874457502282, 1.935801706528)],
)
def test_golden_values(golden_batch, scale, euclidean, released):
    x, labels = golden_batch(scale)
    for distance, value in (('euclidean', euclidean), ('released', released)):
        loss = PairedCenterTripletLoss(distance=distance)(x, labels, 32)
        assert loss.item() == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize('distance', ['euclidean', 'released'])
def test_equals_a_slow_loop_in_both_orders(distance):
    x = torch.randn(11, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    loss = PairedCenterTripletLoss(0.5, distance)
    expected = slow(x, LABELS, 5, 0.5, distance)
    assert loss(x, LABELS, 5).item() == pytest.approx(expected)
    assert loss(x.roll(6, 0), LABELS.roll(6), 6).item() == pytest.approx(expected)


def test_an_unknown_distance_is_refused():
    with pytest.raises(ValueError, match="`distance` is 'cosine'"):
        PairedCenterTripletLoss(distance='cosine')
