import math

import pytest
import torch

from mmvireid.models.losses import (
    BatchHardTripletLoss,
    RegularizedSimilarityTripletLoss,
    regularized_similarity_triplet,
)

LABELS = torch.tensor([0, 0, 1, 1, 2, 2])


def draw(count=6, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(count, 4, dtype=torch.float64, generator=g)


def on_circle(*degrees):
    angles = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def slow_loss(anchors, labels, others, other_labels, margin):
    total = 0.0
    for a, label in zip(anchors.tolist(), labels.tolist()):
        cosines = [
            sum(x * y for x, y in zip(a, b)) / (math.hypot(*a) * math.hypot(*b))
            for b in others.tolist()
        ]
        positive = min(c for c, other in zip(cosines, other_labels) if other == label)
        negative = max(c for c, other in zip(cosines, other_labels) if other != label)
        total += max(0.0, negative + margin - positive) + (1 + negative) ** 2 + (1 - positive) ** 2
    return total / len(anchors)


@pytest.mark.parametrize('margin', [0.1, 0.5])
def test_equals_a_slow_loop(margin):
    rows = draw()
    found = RegularizedSimilarityTripletLoss(margin)(rows, LABELS)
    assert found.item() == pytest.approx(slow_loss(rows, LABELS, rows, LABELS, margin))


def test_candidates_of_their_own_equal_a_slow_loop():
    anchors, others, other_labels = draw(), draw(5, 1), torch.tensor([2, 1, 0, 7, 1])
    found = RegularizedSimilarityTripletLoss()(anchors, LABELS, others, other_labels)
    expected = slow_loss(anchors, LABELS, others, other_labels, 0.5)
    assert found.item() == pytest.approx(expected)


def test_anchors_may_be_a_part_of_the_candidates():
    """Half of the rows are anchors, as in a batch whose other rows are only negatives."""
    rows = draw()
    found = RegularizedSimilarityTripletLoss()(rows[::2], LABELS[::2], rows, LABELS)
    assert found.item() == pytest.approx(slow_loss(rows[::2], LABELS[::2], rows, LABELS, 0.5))


@pytest.mark.parametrize(
    ('positive', 'negative', 'expected'),
    [
        (0, 180, 0),  # the optimum of all three
        (60, 180, 0 + 0 + 0.25),
        (60, 90, 0 + 1 + 0.25),
        (60, 60, 0.5 + 2.25 + 0.25),
        (180, 0, 2.5 + 4 + 4),  # the worst
    ],
)
def test_closed_form_of_angles(positive, negative, expected):
    loss = RegularizedSimilarityTripletLoss(margin=0.5)
    others = on_circle(positive, -negative)
    found = loss(on_circle(0), torch.tensor([3]), others, torch.tensor([3, 4]))
    assert found.item() == pytest.approx(expected, abs=1e-10)


def test_the_hinge_is_the_triplet_of_squared_unit_distances():
    """2 - 2 cos = d^2: a margin of 0.5 in cosine is one of 1 there, where both mine alike."""
    similarities = torch.rand(6, 6, generator=torch.Generator().manual_seed(2))
    positive = torch.where(LABELS[:, None] == LABELS, similarities, 2).amin(1)
    negative = torch.where(LABELS[:, None] != LABELS, similarities, -2).amax(1)
    squares = (1 + negative).square().mean() + (1 - positive).square().mean()
    hinge = regularized_similarity_triplet(similarities, LABELS, 0.5) - squares
    distances = 2 - 2 * similarities
    expected = [
        max(0.0, 1 + (max(d[same]) - min(d[~same])).item())
        for d, same in zip(distances, LABELS[:, None] == LABELS)
    ]
    assert 2 * hinge.item() == pytest.approx(sum(expected) / 6, rel=1e-5)


def test_only_directions_count():
    rows, loss = draw(), RegularizedSimilarityTripletLoss()
    lengths = torch.linspace(0.1, 50, 6, dtype=torch.float64)[:, None]
    torch.testing.assert_close(loss(lengths * rows, LABELS), loss(rows, LABELS))


def test_a_satisfied_hinge_still_pulls_and_pushes():
    """Beyond the margin, where the plain triplet loss rests."""
    rows = on_circle(0, 20, 120, 140).requires_grad_()
    labels = torch.tensor([0, 0, 1, 1])
    assert BatchHardTripletLoss(0.5, normalize=True)(rows, labels) == 0
    loss, optimizer = RegularizedSimilarityTripletLoss(), torch.optim.SGD([rows], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        loss(rows, labels).backward()
        optimizer.step()
    unit = torch.nn.functional.normalize(rows.detach(), dim=1)
    wanted = torch.tensor([1.0, 1, -1, -1], dtype=torch.float64)
    torch.testing.assert_close(unit @ unit.T, wanted[:, None] * wanted, atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ('label', 'other_labels', 'expected'),
    [(0, [0, 0], 0.25), (9, [0, 0], 2.25), (0, [0, 5], 0.25 + 1.0)],
)
def test_an_anchor_adds_the_squares_of_what_it_has(label, other_labels, expected):
    """Candidates at 60 and 45 (or 90) degrees: without negatives, without positives, with both."""
    others = on_circle(60, 45 if other_labels == [0, 0] and label == 0 else 90)
    anchor = on_circle(0).requires_grad_()
    loss = RegularizedSimilarityTripletLoss()(
        anchor, torch.tensor([label]), others, torch.tensor(other_labels)
    )
    loss.backward()
    assert loss.item() == pytest.approx(expected)
    assert anchor.grad.isfinite().all() and anchor.grad.any()


def test_computes_in_float32_inside_autocast():
    rows, loss = draw().bfloat16(), RegularizedSimilarityTripletLoss()
    with torch.autocast('cpu', torch.bfloat16):
        found = loss(rows, LABELS)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(loss(rows.double(), LABELS).item(), rel=1e-5)


def test_gradients_are_those_of_finite_differences():
    anchors, others = draw().requires_grad_(), draw(6, 1).requires_grad_()
    loss = RegularizedSimilarityTripletLoss()
    assert torch.autograd.gradcheck(lambda a, b: loss(a, LABELS, b), (anchors, others))


def test_identical_images_have_a_finite_gradient():
    rows = draw(3).float().repeat_interleave(2, dim=0).requires_grad_()
    RegularizedSimilarityTripletLoss()(rows, LABELS).backward()
    assert rows.grad.isfinite().all() and rows.grad.abs().max() < 10


def test_labels_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r'has shape \(6, 4\), expected \(6, 6\)'):
        RegularizedSimilarityTripletLoss()(draw(), LABELS, draw(4))
