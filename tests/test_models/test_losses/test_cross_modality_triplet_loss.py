import pytest
import torch

from mmvireid.models.losses import CrossModalityTripletLoss, cross_modality_triplet

LABELS = torch.tensor([0, 0, 1, 2, 2, 1, 0, 2])  # 5 visible, 3 infrared


def draw(seed=0, dims=4):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(len(LABELS), dims, generator=g, dtype=torch.float64)


def slow(embeddings, labels, num_visible, margin):
    """Loop over the anchors of each modality; candidates are of the other one."""
    unit = [row / row.norm() for row in embeddings]
    visible, infrared = range(num_visible), range(num_visible, len(unit))
    total = 0.0
    for anchors, candidates in ((visible, infrared), (infrared, visible)):
        for a in anchors:
            gaps = {c: (unit[a] - unit[c]).norm().item() for c in candidates}
            positive = max(gaps[c] for c in candidates if labels[c] == labels[a])
            negative = min(gaps[c] for c in candidates if labels[c] != labels[a])
            total += max(0.0, positive - negative + margin) / len(anchors)
    return total


@pytest.mark.parametrize('margin', [0.1, 1.0])
@pytest.mark.parametrize('num_visible', [5, 4])
def test_equals_a_slow_loop(margin, num_visible):
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1]) if num_visible == 4 else LABELS
    value = CrossModalityTripletLoss(margin)(draw(), labels, num_visible)
    assert value.item() == pytest.approx(slow(draw(), labels, num_visible, margin))
    assert value > 0


def test_only_directions_count():
    x, loss = draw(), CrossModalityTripletLoss(0.5)
    lengths = torch.linspace(0.1, 50, len(x), dtype=torch.float64)[:, None]
    torch.testing.assert_close(loss(x * lengths, LABELS, 5), loss(x, LABELS, 5))


def test_distances_within_a_modality_do_not_count():
    """Same-modality negatives at distance 0 cost nothing while the other modality is in order."""
    labels = torch.tensor([0, 1, 0, 1])
    apart = torch.tensor([[1.0, 0], [0, 1.0], [1.0, 0], [0, 1.0]])
    assert CrossModalityTripletLoss(0.1)(apart, labels, 2) == 0
    collapsed = torch.tensor([[1.0, 0], [1.0, 0], [0, 1.0], [0, 1.0]])
    assert CrossModalityTripletLoss(0.1)(collapsed, labels, 2).item() == pytest.approx(0.2)


@pytest.mark.parametrize(('own', 'other'), [([0, 0], [0, 0, 0]), ([0, 0], [1, 1, 1])])
def test_anchors_without_a_positive_or_negative_add_nothing(own, other):
    distances = torch.rand(2, 3, requires_grad=True)
    loss = cross_modality_triplet(distances, torch.tensor(own), torch.tensor(other), 0.3)
    loss.backward()
    assert loss.item() == 0
    assert (distances.grad == 0).all()


@pytest.mark.parametrize(('scale', 'value'), [(0.2, 0.896532484193), (1, 2.082662420966)])
def test_golden_values_of_raw_embeddings(golden_batch, scale, value):
    loss = CrossModalityTripletLoss(margin=0.3, normalize=False)(*golden_batch(scale), 32)
    assert loss.item() == pytest.approx(value, abs=1e-10)
