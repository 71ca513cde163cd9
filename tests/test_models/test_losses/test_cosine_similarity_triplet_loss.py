import math

import pytest
import torch

from mmvireid.models.losses import CosineSimilarityTripletLoss, cosine_similarity_triplet

LABELS = torch.tensor([0, 0, 1, 2, 2, 1])


def draw(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(LABELS), 4, generator=generator, dtype=torch.float64)


def on_circle(*degrees):
    angles = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    return torch.stack([angles.cos(), angles.sin()], dim=1)


@pytest.mark.parametrize('margin', [0.1, 1.0])
def test_equals_a_slow_loop(margin):
    anchors, others = draw(0), draw(1)
    expected = 0.0
    for i, a in enumerate(anchors.tolist()):
        cosines = [
            sum(x * y for x, y in zip(a, b)) / (math.hypot(*a) * math.hypot(*b))
            for b in others.tolist()
        ]
        positive = min(c for c, label in zip(cosines, LABELS) if label == LABELS[i])
        negative = max(c for c, label in zip(cosines, LABELS) if label != LABELS[i])
        expected += max(0.0, margin - positive + negative) / len(LABELS)
    found = CosineSimilarityTripletLoss(margin)(anchors, others, LABELS)
    assert found.item() == pytest.approx(expected)
    swapped = cosine_similarity_triplet(others, anchors, LABELS, margin)
    assert swapped.item() != pytest.approx(expected)  # anchors are one set, candidates the other


def opposite_anchors(positive, negative):
    """Loss for margin 1 of anchors at 0 and 180 degrees with the others at these angles.

    By symmetry both anchors have the same loss, 1 - cos(positive) + cos(negative) if positive.
    """
    loss = CosineSimilarityTripletLoss()
    return loss(on_circle(0, 180), on_circle(positive, negative), torch.tensor([0, 1])).item()


@pytest.mark.parametrize(
    ('positive', 'negative', 'expected'),
    [(60, 90, 0.5), (0, 90, 0), (0, 60, 0.5), (90, 90, 1), (120, 60, 2), (0, 180, 0), (180, 0, 3)],
)
def test_closed_form_of_angles_from_zero_to_margin_plus_two(positive, negative, expected):
    assert opposite_anchors(positive, negative) == pytest.approx(expected, abs=1e-12)


def test_nearer_positives_and_farther_negatives_cost_less():
    """The sign: a distance in place of the similarity would turn both around."""
    assert opposite_anchors(70, 120) < opposite_anchors(90, 120) < opposite_anchors(130, 120)
    assert opposite_anchors(60, 110) < opposite_anchors(60, 90) < opposite_anchors(60, 50)
    anchors, others = on_circle(0, 180), on_circle(70, 250).requires_grad_()
    cosine_similarity_triplet(anchors, others, torch.tensor([0, 1]), 1.0).backward()
    assert (others.grad * anchors).sum(1).lt(0).all()  # a step down brings positives nearer


def test_only_directions_count():
    anchors, others = draw(0), draw(1)
    lengths = torch.linspace(0.1, 50, len(LABELS), dtype=torch.float64)[:, None]
    torch.testing.assert_close(
        cosine_similarity_triplet(anchors * lengths, others / lengths, LABELS, 1.0),
        cosine_similarity_triplet(anchors, others, LABELS, 1.0),
    )


def test_computes_in_float32_inside_autocast():
    anchors, others = draw(0).bfloat16(), draw(1).bfloat16()
    expected = cosine_similarity_triplet(anchors.double(), others.double(), LABELS, 1.0)
    with torch.autocast('cpu', torch.bfloat16):
        found = cosine_similarity_triplet(anchors, others, LABELS, 1.0)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_gradients_reach_both_sets():
    anchors, others = draw(0).requires_grad_(), draw(1).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda a, b: cosine_similarity_triplet(a, b, LABELS, 1.0), (anchors, others)
    )
    cosine_similarity_triplet(anchors, others, LABELS, 1.0).backward()
    assert anchors.grad.any() and others.grad.any()
