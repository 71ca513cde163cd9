import math

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from mmvireid.models.losses import CrossModalityContrastiveCenterLoss

LABELS = torch.tensor([4, 9, 4, 2, 4, 2, 9, 2, 9, 9, 4])  # 5 visible, 6 infrared, uneven
NUM_VISIBLE = 5


def draw(seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(len(LABELS), 4, generator=g, dtype=torch.float64)


def slow(features, labels, num_visible, inter):
    """Loop over the identities."""
    unit = [row / row.norm() for row in features]
    labels = labels.tolist()
    centers = {}
    for k in sorted(set(labels)):
        rows = [i for i in range(len(unit)) if labels[i] == k]
        parts = [[i for i in rows if i < num_visible], [i for i in rows if i >= num_visible]]
        centers[k] = [sum(unit[i] for i in part) / len(part) for part in parts]
    total = 0.0
    for k, (visible, infrared) in centers.items():
        center = (visible + infrared) / 2
        gaps = []
        for j, pair in centers.items():
            others = [(pair[0] + pair[1]) / 2] if inter == 'mean' else pair
            gaps += [(center - other).norm() for other in others if j != k]
        intra = (visible - infrared).norm()
        total = total + (1 + (intra - min(gaps)).exp()).log() / len(centers)
    return total


def test_golden_value(golden_batch):
    loss = CrossModalityContrastiveCenterLoss()(*golden_batch(1), 32)
    assert loss.item() == pytest.approx(0.807919050705, abs=1e-10)


@pytest.mark.parametrize('inter', ['mean', 'modality'])
@pytest.mark.parametrize('seed', range(3))
def test_value_and_gradient_equal_a_slow_loop(inter, seed):
    fast_input, slow_input = draw(seed).requires_grad_(), draw(seed).requires_grad_()
    loss = CrossModalityContrastiveCenterLoss(inter)(fast_input, LABELS, NUM_VISIBLE)
    expected = slow(slow_input, LABELS, NUM_VISIBLE, inter)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(fast_input.grad, slow_input.grad)


def test_order_of_images_and_names_of_identities_do_not_matter():
    x, loss = draw(), CrossModalityContrastiveCenterLoss()
    expected = loss(x, LABELS, NUM_VISIBLE)
    order = torch.tensor([3, 0, 4, 2, 1, 10, 7, 5, 9, 6, 8])
    torch.testing.assert_close(loss(x[order], LABELS[order], NUM_VISIBLE), expected)
    renamed = torch.tensor([0, 0, 7, 0, 1, 0, 0, 0, 0, 3])[LABELS]
    torch.testing.assert_close(loss(x, renamed, NUM_VISIBLE), expected)


def test_only_directions_count():
    x, loss = draw(), CrossModalityContrastiveCenterLoss()
    lengths = torch.linspace(0.1, 50, len(x), dtype=torch.float64)[:, None]
    torch.testing.assert_close(loss(x * lengths, LABELS, NUM_VISIBLE), loss(x, LABELS, NUM_VISIBLE))


def test_equal_distances_give_ln_2():
    """Two identities on the sides of a square: all centres are as far apart as the middles."""
    corners = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    loss = CrossModalityContrastiveCenterLoss()(corners, torch.tensor([0, 1, 0, 1]), 2)
    assert loss.item() == pytest.approx(math.log(2), rel=1e-6)


def test_the_smallest_value_is_that_of_opposite_identities():
    floor = math.log1p(math.exp(-2))
    x = torch.tensor([[1.0, 0.0], [-1.0, 0.0]]).repeat(2, 1)
    loss = CrossModalityContrastiveCenterLoss()
    assert loss(x, torch.tensor([0, 1, 0, 1]), 2).item() == pytest.approx(floor, abs=1e-6)
    assert all(loss(draw(seed), LABELS, NUM_VISIBLE) > floor for seed in range(20))


@pytest.mark.parametrize('inter', ['mean', 'modality'])
@pytest.mark.parametrize('labels', [[0, 1, 0, 1], [0, 0, 0, 0]])
def test_gradients_are_finite_where_centers_coincide_or_are_alone(inter, labels):
    x = torch.ones(4, 3, requires_grad=True)
    CrossModalityContrastiveCenterLoss(inter)(x, torch.tensor(labels), 2).backward()
    assert torch.isfinite(x.grad).all()


def test_no_value_is_read_back_from_the_device():
    """A fake tensor has no values: to ask for one raises, where a GPU would wait."""
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        x, labels = mode.from_tensor(draw()), mode.from_tensor(LABELS)
        assert CrossModalityContrastiveCenterLoss()(x, labels, NUM_VISIBLE).shape == ()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="`inter` is 'max', expected one of"):
        CrossModalityContrastiveCenterLoss('max')
    with pytest.raises(ValueError, match='`num_visible` is 11'):
        CrossModalityContrastiveCenterLoss()(draw(), LABELS, 11)
