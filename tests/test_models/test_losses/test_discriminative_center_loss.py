import pytest
import torch

from mmvireid.models.losses import DiscriminativeCenterLoss

LABELS = torch.tensor([4, 9, 4, 2, 4, 2, 9, 2, 9, 9, 4])  # uneven


def slow(x, labels):
    """Identity after identity."""
    own, near = [], []
    for k in set(labels.tolist()):
        center = x[labels == k].mean(0)
        own += [length for row in x[labels == k] if (length := (row - center).norm()) > 1e-6]
        others = [(row - center).norm() for row in x[labels != k]]
        mean = sum(others) / len(others)
        below = [length for length in others if length < mean]
        near.append(sum(below) / len(below))
    return (sum(own) / len(own)) / (sum(near) / len(near))


@pytest.mark.parametrize('scale', [0.2, 1, 4, 10])
def test_golden_value_at_any_scale(golden_batch, scale):
    loss = DiscriminativeCenterLoss()(*golden_batch(scale)).item()
    assert loss == pytest.approx(0.8823430546768368, abs=1e-10)


@pytest.mark.parametrize('alone', [False, True])
def test_equals_a_slow_loop(alone):
    """An identity with one image is its own centre, which does not count."""
    x = torch.randn(11, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = LABELS.clone()
    if alone:
        labels[3] = 17
    loss = DiscriminativeCenterLoss()(x, labels)
    assert loss.item() == pytest.approx(slow(x, labels).item())


def test_images_at_their_centres_have_a_finite_gradient():
    x = torch.tensor([[0.0, 0], [0, 0], [1, 0], [1, 0], [0, 3], [0, 3]], requires_grad=True)
    loss = DiscriminativeCenterLoss()(x, torch.tensor([0, 0, 1, 1, 2, 2]))
    loss.backward()
    assert loss == 0
    assert torch.isfinite(x.grad).all()


def test_autocast_leaves_its_digits(golden_batch):
    x, labels = golden_batch(1)
    with torch.autocast('cpu', torch.bfloat16):
        loss = DiscriminativeCenterLoss()(x.float(), labels)
    assert loss.item() == pytest.approx(0.882343, rel=1e-4)
