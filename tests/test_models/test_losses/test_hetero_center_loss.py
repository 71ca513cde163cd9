import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from mmvireid.models.losses import HeteroCenterLoss

LABELS = torch.tensor([4, 9, 4, 2, 4, 2, 9, 2, 9, 9, 4])  # 5 visible, 6 infrared, uneven
NUM_VISIBLE = 5


def draw(seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(len(LABELS), 4, generator=g, dtype=torch.float64)


def slow(features, labels, num_visible, margin, normalize):
    """Loop over the identities."""
    total = 0.0
    for k in set(labels.tolist()):
        rows = [i for i in range(len(labels)) if labels[i] == k]
        centers = []
        for part in ([i for i in rows if i < num_visible], [i for i in rows if i >= num_visible]):
            images = [features[i] / (features[i].norm() if normalize else 1) for i in part]
            centers.append(sum(images) / len(images))
        total += max(0.0, (centers[0] - centers[1]).norm().item() ** 2 - margin)
    return total


def test_golden_value(golden_batch):
    x, labels = golden_batch(1)
    value = HeteroCenterLoss()(x, labels, 32).item()
    assert value == pytest.approx(1.352558655544, abs=1e-10)
    assert value == pytest.approx(slow(x, labels, 32, 0.0, True), abs=1e-12)


@pytest.mark.parametrize('margin', [0.0, 0.5])
@pytest.mark.parametrize('normalize', [True, False])
def test_equals_a_slow_loop(margin, normalize):
    x = draw()
    loss = HeteroCenterLoss(margin, normalize)(x, LABELS, NUM_VISIBLE)
    assert loss.item() == pytest.approx(slow(x, LABELS, NUM_VISIBLE, margin, normalize))
    assert loss > 0


def test_order_of_images_and_names_of_identities_do_not_matter():
    x, loss = draw(), HeteroCenterLoss()
    expected = loss(x, LABELS, NUM_VISIBLE)
    order = torch.tensor([3, 0, 4, 2, 1, 10, 7, 5, 9, 6, 8])
    torch.testing.assert_close(loss(x[order], LABELS[order], NUM_VISIBLE), expected)
    renamed = torch.tensor([0, 0, 7, 0, 1, 0, 0, 0, 0, 3])[LABELS]
    torch.testing.assert_close(loss(x, renamed, NUM_VISIBLE), expected)


@pytest.mark.parametrize('margin', [0.0, 5.0])
def test_loss_and_gradient_vanish_within_the_margin(margin):
    x = torch.eye(2).repeat(2, 1) if margin == 0 else torch.tensor([[1.0], [1.0], [-1.0], [-1.0]])
    x.requires_grad_()
    loss = HeteroCenterLoss(margin)(x, torch.tensor([0, 1, 0, 1]), 2)
    loss.backward()
    assert loss.item() == 0
    assert (x.grad == 0).all()


def test_no_value_is_read_back_from_the_device():
    """A fake tensor has no values: to ask for one raises, where a GPU would wait."""
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        x, labels = mode.from_tensor(draw()), mode.from_tensor(LABELS)
        assert HeteroCenterLoss()(x, labels, NUM_VISIBLE).shape == ()


def test_a_missing_modality_is_named():
    with pytest.raises(ValueError, match='`num_visible` is 0'):
        HeteroCenterLoss()(draw(), LABELS, 0)
