import math

import pytest
import torch

from mmvireid.models.losses import WeightedRegularizedTripletLoss, weighted_regularized_triplet

# float64 values of the released code at embedding scales s
GOLDEN = {0.2: 0.593783387658, 1: 0.816246993070, 4: 10.123833933171, 10: 51.944222213020}


@pytest.mark.parametrize('scale', GOLDEN)
def test_equals_the_released_code(golden_batch, scale):
    loss = WeightedRegularizedTripletLoss()(*golden_batch(scale))
    assert loss.item() == pytest.approx(GOLDEN[scale], abs=1e-11)


@pytest.mark.parametrize('scale', [0.2, 10])
def test_normalised_does_not_depend_on_the_scale(golden_batch, scale):
    loss = WeightedRegularizedTripletLoss(normalize=True)(*golden_batch(scale))
    assert loss.item() == pytest.approx(0.577688215407, abs=1e-11)


def slow_softmin(distances, labels):
    """The paper's equation, one anchor and one pair at a time."""
    total = 0.0
    for i, row in enumerate(distances.tolist()):
        sides = []
        for positive in (True, False):
            sign = 1 if positive else -1
            chosen = [d for d, y in zip(row, labels) if (y == labels[i]) == positive]
            weights = [math.exp(sign * d) for d in chosen]
            sides.append(sum(w * d for w, d in zip(weights, chosen)) / sum(weights))
        total += math.log1p(math.exp(sides[0] - sides[1]))
    return total / len(labels)


def test_softmin_equals_a_slow_loop(golden_batch):
    x, labels = golden_batch(1.0)
    distances = torch.cdist(x, x)
    loss = weighted_regularized_triplet(distances, labels, 'softmin')
    assert loss.item() == pytest.approx(slow_softmin(distances, labels), rel=1e-9)


def test_released_negatives_fade_where_distances_are_large():
    labels = torch.arange(57)  # one anchor's view: 56 negatives
    for distance, expected in {14.0: 13.7, 20.0: 2.07, 25.0: 0.02}.items():
        distances = torch.full((57, 57), distance, dtype=torch.float64).fill_diagonal_(1e-6)
        loss = weighted_regularized_triplet(distances, labels)
        negative = -math.log(math.expm1(loss.item()))  # softplus(0 - negative) inverted
        assert negative == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize('eps_mode', ['released', 'softmin'])
def test_one_identity_gives_a_finite_loss_and_gradient(eps_mode):
    x = torch.randn(4, 8, requires_grad=True)
    loss = WeightedRegularizedTripletLoss(eps_mode)(x, torch.zeros(4, dtype=torch.long))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(x.grad).all()


def test_unknown_mode_is_named():
    with pytest.raises(ValueError, match=r"`eps_mode` is 'sharp'"):
        WeightedRegularizedTripletLoss('sharp')
    with pytest.raises(ValueError, match=r"`eps_mode` is 'sharp'"):
        weighted_regularized_triplet(torch.zeros(2, 2), torch.tensor([0, 1]), 'sharp')
