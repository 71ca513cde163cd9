import pytest
import torch
import torch.nn.functional as F

from mmvireid.models.losses import MutualTeachingLoss, mutual_teaching

GRID = torch.cos(0.37 * torch.arange(20, dtype=torch.float64)).view(4, 5)
TAUGHT = (0.5 * GRID).roll(1, dims=1)


def test_golden_value_in_both_modalities():
    found = mutual_teaching(GRID.repeat(2, 1), TAUGHT.repeat(2, 1), 4).item()
    assert found == pytest.approx(2 * 0.0590472459628717, abs=1e-12)


@pytest.mark.parametrize('temperature', [1.0, 4.0])
def test_equals_torchs_divergence_in_the_direction_of_the_student(temperature):
    student, teacher = (x.softmax(1) for x in (GRID / temperature, TAUGHT / temperature))
    expected = sum(
        F.kl_div(q.log(), p, reduction='batchmean')
        for p, q in ((student[:1], teacher[:1]), (student[1:], teacher[1:]))
    )
    found = MutualTeachingLoss(temperature)(GRID, TAUGHT, 1)
    torch.testing.assert_close(found, expected)


def test_students_alone_learn():
    own, taught = GRID.clone().requires_grad_(), TAUGHT.clone().requires_grad_()
    MutualTeachingLoss()(own, taught, 2).backward()
    assert own.grad.abs().sum() > 0 and taught.grad is None


def test_a_certain_teacher_is_finite():
    """The logarithm of its softmax would be that of 0."""
    taught = torch.tensor([[0.0, 400.0], [0.0, 400.0]])
    found = MutualTeachingLoss()(torch.zeros(2, 2), taught, 1)
    assert found.item() == pytest.approx(2 * (200 - 0.6931472))


def test_half_precision_is_computed_in_float32():
    own, taught = GRID.bfloat16(), TAUGHT.bfloat16()
    found = MutualTeachingLoss()(own, taught, 2)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, MutualTeachingLoss()(own.float(), taught.float(), 2))


def test_mistakes_are_named():
    with pytest.raises(ValueError, match='`temperature` is 0'):
        MutualTeachingLoss(0)
    with pytest.raises(ValueError, match='`num_visible` is 4 in a batch of 4 images'):
        MutualTeachingLoss()(GRID, TAUGHT, 4)
