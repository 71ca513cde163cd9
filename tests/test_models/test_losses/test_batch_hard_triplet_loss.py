import pytest
import torch

from mmvireid.models.losses import BatchHardTripletLoss, batch_hard_triplet

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
