import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from mmvireid.models.losses import TripletCenterLoss

LABELS = torch.tensor([4, 1, 4, 2, 4, 2, 1])  # of 6 identities


def draw(seed=0):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(len(LABELS), 3, generator=g, dtype=torch.float64)
    centers = torch.randn(6, 3, generator=g, dtype=torch.float64)
    return x, centers


def build(centers, margin=5.0):
    loss = TripletCenterLoss(*centers.shape, margin)
    loss.centers = torch.nn.Parameter(centers)
    return loss


def slow(features, centers, labels, margin):
    """Loop over the images."""
    total = 0.0
    for x, label in zip(features, labels.tolist()):
        gaps = [0.5 * (x - c).norm() ** 2 for c in centers]
        other = min(gap for j, gap in enumerate(gaps) if j != label)
        total = total + (margin + gaps[label] - other).clamp(min=0) / len(labels)
    return total


@pytest.mark.parametrize('margin', [0.5, 5.0])
@pytest.mark.parametrize('seed', range(3))
def test_value_and_gradients_equal_a_slow_loop(margin, seed):
    x, centers = (tensor.requires_grad_() for tensor in draw(seed))
    expected = slow(x, centers, LABELS, margin)
    gradients = torch.autograd.grad(expected, (x, centers))
    loss = build(centers.detach().clone(), margin)
    value = loss(x, LABELS, 4)
    torch.testing.assert_close(value, expected)
    actual = torch.autograd.grad(value, (x, loss.centers))
    torch.testing.assert_close(actual, gradients)
    assert value > 0


def test_modalities_do_not_count():
    x, centers = draw()
    loss = build(centers)
    assert loss(x, LABELS, 1) == loss(x, LABELS, 6)


def test_images_far_from_every_other_center_cost_nothing():
    loss = build(10 * torch.eye(3))  # 0.5 * 200 between two centres
    x = (10 * torch.eye(3)).requires_grad_()
    value = loss(x, torch.arange(3), 1)
    value.backward()
    assert value.item() == 0
    assert (x.grad == 0).all() and (loss.centers.grad == 0).all()


def test_centers_start_small_and_find_their_images():
    torch.manual_seed(0)
    loss = TripletCenterLoss(40, 50)
    assert loss.centers.std().item() == pytest.approx(0.01, rel=0.1)
    assert loss.centers.mean().abs() < 0.001
    x, labels = 6 * torch.eye(40, 50), torch.arange(40)
    optimizer = torch.optim.SGD(loss.parameters(), lr=1.0)
    start = loss(x, labels, 20).item()
    for _ in range(100):
        optimizer.zero_grad()
        loss(x, labels, 20).backward()
        optimizer.step()
    assert loss(x, labels, 20).item() < 0.1 * start
    assert torch.equal(torch.cdist(x, loss.centers).argmin(dim=1), labels)


def test_no_value_is_read_back_from_the_device():
    """A fake tensor has no values: to ask for one raises, where a GPU would wait."""
    x, centers = draw()
    loss = build(centers)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        assert loss(mode.from_tensor(x), mode.from_tensor(LABELS), 4).shape == ()
