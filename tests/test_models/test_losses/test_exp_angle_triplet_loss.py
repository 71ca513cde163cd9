import itertools
import math

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from mmvireid.models.losses import ExpAngleTripletLoss
from mmvireid.models.losses.exp_angle_triplet_loss import draw_one

LABELS = torch.tensor([4, 9, 4, 2, 4, 2, 9, 2, 9, 9, 4])  # 5 visible, 6 infrared, uneven
NUM_VISIBLE = 5


def draw(seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(len(LABELS), 4, generator=g, dtype=torch.float64)


def hinges(features, labels, num_visible, margin):
    """For each direction and anchor the hinge of every cross-modality triplet."""
    unit = [row / row.norm() for row in features]
    visible, infrared = range(num_visible), range(num_visible, len(unit))
    directions = []
    for anchors, candidates in ((visible, infrared), (infrared, visible)):
        rows = []
        for a in anchors:
            cosine = {c: (unit[a] @ unit[c]).item() for c in candidates}
            positives = [cosine[c] for c in candidates if labels[c] == labels[a]]
            negatives = [cosine[c] for c in candidates if labels[c] != labels[a]]
            pairs = itertools.product(positives, negatives)
            rows.append([max(0.0, margin + max(0.0, n) - p) for p, n in pairs])
        directions.append(rows)
    return directions


@pytest.mark.parametrize('margin', [0.2, 1.0])
@pytest.mark.parametrize('seed', range(3))
def test_hardest_equals_a_slow_loop(margin, seed):
    expected = 0.0
    for rows in hinges(draw(seed), LABELS, NUM_VISIBLE, margin):
        expected += math.exp(sum(max(row) for row in rows) / len(rows))
    loss = ExpAngleTripletLoss(margin, 'hardest')(draw(seed), LABELS, NUM_VISIBLE)
    assert loss.item() == pytest.approx(expected)


def test_random_gives_the_value_of_one_choice_of_triplets():
    """Small enough that all choices can be listed; every one is drawn sooner or later."""
    labels, x = torch.tensor([0, 1, 0, 1, 1]), draw()[:5]
    directions = hinges(x, labels, 2, 1.0)
    means = [[sum(row) / len(row) for row in itertools.product(*rows)] for rows in directions]
    values = sorted({round(sum(map(math.exp, pair)), 9) for pair in itertools.product(*means)})
    torch.manual_seed(0)
    loss = ExpAngleTripletLoss()
    drawn = sorted({round(loss(x, labels, 2).item(), 9) for _ in range(400)})
    assert len(values) > 1
    assert drawn == pytest.approx(values)


def test_the_draw_is_uniform_over_the_candidates():
    torch.manual_seed(0)
    draws = 3000
    candidates = torch.tensor([[1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]], dtype=torch.bool)
    counts = sum(draw_one(candidates).float() for _ in range(draws))
    assert counts[1:].tolist() == [[0, 0, 0, 0], [0, draws, 0, 0]]
    assert counts[0, 1] == 0
    deviation = (draws * 1 / 3 * 2 / 3) ** 0.5
    assert (counts[0, [0, 2, 3]] - draws / 3).abs().max() <= 5 * deviation


@pytest.mark.parametrize('mining', ['random', 'hardest'])
def test_separated_identities_cost_the_least(mining):
    x = torch.eye(2).repeat(2, 1).requires_grad_()
    loss = ExpAngleTripletLoss(1.0, mining)(x, torch.tensor([0, 1, 0, 1]), 2)
    loss.backward()
    assert loss.item() == pytest.approx(2)
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize('mining', ['random', 'hardest'])
def test_anchors_without_a_positive_or_negative(mining):
    loss = ExpAngleTripletLoss(1.0, mining)
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    no_positive = loss(x, torch.tensor([0, 1]), 1)
    assert no_positive.item() == pytest.approx(2)
    no_negative = loss(x, torch.tensor([0, 0]), 1)  # cos(a, p) = 0
    assert no_negative.item() == pytest.approx(2 * math.e)
    (no_positive + no_negative).backward()
    assert torch.isfinite(x.grad).all()


def test_order_of_images_and_names_of_identities_do_not_matter():
    x, loss = draw(), ExpAngleTripletLoss(mining='hardest')
    expected = loss(x, LABELS, NUM_VISIBLE)
    order = torch.tensor([3, 0, 4, 2, 1, 10, 7, 5, 9, 6, 8])
    torch.testing.assert_close(loss(x[order], LABELS[order], NUM_VISIBLE), expected)
    renamed = torch.tensor([0, 0, 7, 0, 1, 0, 0, 0, 0, 3])[LABELS]
    torch.testing.assert_close(loss(x, renamed, NUM_VISIBLE), expected)


@pytest.mark.parametrize('mining', ['random', 'hardest'])
def test_no_value_is_read_back_from_the_device(mining):
    """A fake tensor has no values: to ask for one raises, where a GPU would wait."""
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        x, labels = mode.from_tensor(draw()), mode.from_tensor(LABELS)
        assert ExpAngleTripletLoss(mining=mining)(x, labels, NUM_VISIBLE).shape == ()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="`mining` is 'easy', expected one of"):
        ExpAngleTripletLoss(mining='easy')
    with pytest.raises(ValueError, match='`num_visible` is 11'):
        ExpAngleTripletLoss()(draw(), LABELS, 11)
