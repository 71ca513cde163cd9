import math

import pytest
import torch

from mmvireid.models.losses import BatchHardTripletLoss, batch_hard_triplet
from mmvireid.models.losses.batch_hard_triplet_loss import hardest_distances

GOLDEN = {0.2: 0.717675010343, 1: 2.388375051714, 4: 8.653500206857, 10: 21.183750517143}


@pytest.mark.parametrize('scale', GOLDEN)
def test_equals_the_released_code(golden_batch, scale):
    loss = BatchHardTripletLoss(margin=0.3)(*golden_batch(scale))
    assert loss.item() == pytest.approx(GOLDEN[scale], abs=1e-11)


def test_equals_a_slow_loop():
    generator = torch.Generator().manual_seed(0)
    distances = torch.rand(9, 9, generator=generator)
    labels = torch.tensor([0, 1, 2] * 3)
    expected = 0.0
    for i in range(9):
        positive = max(distances[i, j].item() for j in range(9) if labels[j] == labels[i])
        negative = min(distances[i, j].item() for j in range(9) if labels[j] != labels[i])
        expected += max(0.0, 0.2 + positive - negative) / 9
    assert batch_hard_triplet(distances, labels, 0.2).item() == pytest.approx(expected, rel=1e-5)


def test_without_negatives_the_loss_and_its_gradient_are_zero():
    x = torch.randn(4, 8, requires_grad=True)
    loss = BatchHardTripletLoss()(x, torch.zeros(4, dtype=torch.long))
    loss.backward()
    assert loss.item() == 0
    assert (x.grad == 0).all()


def test_other_candidates_equal_a_slow_loop():
    distances = torch.rand(3, 5, generator=torch.Generator().manual_seed(1))
    labels, other_labels = [0, 1, 2], [2, 1, 0, 0, 1]
    expected = 0.0
    for i, label in enumerate(labels):
        row = distances[i].tolist()
        positive = max(d for d, other in zip(row, other_labels) if other == label)
        negative = min(d for d, other in zip(row, other_labels) if other != label)
        expected += max(0.0, 0.2 + positive - negative) / 3
    value = batch_hard_triplet(distances, torch.tensor(labels), 0.2, torch.tensor(other_labels))
    assert value.item() == pytest.approx(expected, rel=1e-5)
    square = torch.rand(3, 3, generator=torch.Generator().manual_seed(2))
    same = torch.tensor(labels)
    assert batch_hard_triplet(square, same, 0.2, same) == batch_hard_triplet(square, same, 0.2)


def slow_loss(anchors, labels, others, other_labels, margin):
    """The loss of vectors, one anchor and one candidate after the other."""
    total = 0.0
    for anchor, label in zip(anchors.tolist(), labels.tolist()):
        distances = [math.dist(anchor, other) for other in others.tolist()]
        positives = [d for d, other in zip(distances, other_labels) if other == label]
        negatives = [d for d, other in zip(distances, other_labels) if other != label]
        total += max(0.0, margin + max(positives) - min(negatives))
    return total / len(anchors)


def draw(count, seed):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(count, 4, dtype=torch.float64, generator=g)


@pytest.mark.parametrize('normalize', [False, True])
def test_candidates_of_their_own_equal_a_slow_loop(normalize):
    anchors, others = draw(4, 0), draw(7, 1)
    labels, other_labels = torch.tensor([0, 1, 2, 0]), torch.tensor([2, 1, 0, 0, 1, 2, 5])
    found = BatchHardTripletLoss(0.5, normalize)(anchors, labels, others, other_labels)
    if normalize:
        anchors, others = (x / x.square().sum(1, keepdim=True).sqrt() for x in (anchors, others))
    expected = slow_loss(anchors, labels, others, other_labels, 0.5)
    assert found.item() == pytest.approx(expected)


def test_anchors_may_be_a_part_of_the_candidates():
    """What a loss of the whole batch averages over is what its parts average over."""
    rows, labels = draw(6, 2), torch.tensor([0, 0, 1, 1, 2, 2])
    loss = BatchHardTripletLoss()
    parts = [loss(rows[part], labels[part], rows, labels) for part in (slice(2), slice(2, 6))]
    torch.testing.assert_close((2 * parts[0] + 4 * parts[1]) / 6, loss(rows, labels))


@pytest.mark.parametrize('degrees', [10, 40, 90])
def test_normalized_distances_are_chords(degrees):
    """Two identities at an angle, two images each: positives at 0, negatives at a chord."""
    angles = torch.tensor([0, 0, degrees, degrees], dtype=torch.float64).deg2rad()
    lengths = torch.tensor([1, 9, 0.2, 3], dtype=torch.float64)[:, None]
    rows = lengths * torch.stack([angles.cos(), angles.sin()], dim=1)
    loss = BatchHardTripletLoss(0.5, normalize=True)(rows, torch.tensor([0, 0, 1, 1]))
    chord = 2 * math.sin(math.radians(degrees) / 2)
    assert loss.item() == pytest.approx(max(0, 0.5 - chord), abs=1e-5)


def test_normalized_only_directions_count():
    rows, labels = draw(6, 3), torch.tensor([0, 0, 1, 1, 2, 2])
    lengths = torch.linspace(0.1, 50, 6, dtype=torch.float64)[:, None]
    unit, plain = BatchHardTripletLoss(normalize=True), BatchHardTripletLoss()
    torch.testing.assert_close(unit(lengths * rows, labels), unit(rows, labels))
    assert plain(lengths * rows, labels) != pytest.approx(plain(rows, labels).item(), rel=0.1)


@pytest.mark.parametrize('rows', [torch.diag(torch.arange(1.0, 4)), draw(3, 4).float()])
@pytest.mark.parametrize('copies', [1, 2])
@pytest.mark.parametrize('normalize', [False, True])
def test_images_without_another_positive_have_a_finite_gradient(rows, copies, normalize):
    """Their distance of 0, where a root is infinitely steep, is the hardest for lack of others.

    It is an exact 0 with the first rows; with the second it is rounded to something else.
    """
    rows = rows.repeat_interleave(copies, dim=0).requires_grad_()
    labels = torch.arange(3).repeat_interleave(copies)
    BatchHardTripletLoss(9.0, normalize)(rows, labels).backward()
    assert rows.grad.isfinite().all()
    assert 0 < rows.grad.norm(dim=1).max() < 2


def test_normalizes_in_float32_inside_autocast():
    rows, labels = draw(6, 5).bfloat16(), torch.tensor([0, 0, 1, 1, 2, 2])
    loss = BatchHardTripletLoss(normalize=True)
    with torch.autocast('cpu', torch.bfloat16):
        found = loss(rows, labels)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(loss(rows.double(), labels).item(), rel=1e-5)


def test_missing_positives_and_negatives_have_infinite_distances_and_add_nothing():
    distances = torch.tensor([[1.0, 2.0], [1.0, 2.0], [3.0, 0.5]], requires_grad=True)
    labels, other_labels = torch.tensor([0, 7, 0]), torch.tensor([0, 0])
    positive, negative = hardest_distances(distances, labels, other_labels)
    assert positive.tolist() == [2, -torch.inf, 3]
    assert negative.tolist() == [torch.inf, 1, torch.inf]
    loss = batch_hard_triplet(distances, labels, 0.3, other_labels)
    loss.backward()
    assert loss.item() == 0
    assert (distances.grad == 0).all()


def test_labels_that_do_not_fit_are_named():
    rows, labels = draw(4, 6), torch.arange(4)
    with pytest.raises(ValueError, match=r'has shape \(4, 3\), expected \(4, 4\).*`other_labels`'):
        BatchHardTripletLoss()(rows, labels, rows[:3])
    with pytest.raises(ValueError, match=r'has shape \(4, 4\), expected \(4, 1\)'):
        batch_hard_triplet(draw(4, 7), labels, 0.3, labels[:1])  # would be broadcast
