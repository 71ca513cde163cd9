import pytest
import torch
import torch.nn.functional as F

from mmvireid.models.heads import ModalityHeads
from mmvireid.models.losses import mutual_teaching


def build():
    torch.manual_seed(0)
    heads = ModalityHeads(6, num_ids=5)
    for parameter in heads.teachers.parameters():
        parameter.add_(torch.randn_like(parameter))  # as if they had followed for a while
    return heads


def test_students_see_their_modality_and_teachers_the_other():
    heads, x = build(), torch.randn(7, 6)
    own, taught = heads(x, num_visible=4)
    visible, infrared = (heads.students[key].classifier.weight for key in ('visible', 'infrared'))
    torch.testing.assert_close(own, torch.cat([x[:4] @ visible.T, x[4:] @ infrared.T]))
    visible, infrared = (heads.teachers[key].classifier.weight for key in ('visible', 'infrared'))
    torch.testing.assert_close(taught, torch.cat([x[:4] @ infrared.T, x[4:] @ visible.T]))


def test_teachers_begin_as_their_students():
    torch.manual_seed(0)
    heads = ModalityHeads(6, num_ids=5)
    for teacher, student in zip(heads.teachers.parameters(), heads.students.parameters()):
        assert torch.equal(teacher, student) and teacher.data_ptr() != student.data_ptr()
    first, second = heads.students.values()
    assert not torch.equal(first.classifier.weight, second.classifier.weight)
    assert first.classifier.bias is None
    assert first.classifier.weight.abs().max() > 0.1  # torch's own start, up to 1 / sqrt(6)


def test_teachers_pass_nothing_on():
    heads, x = build(), torch.randn(7, 6, requires_grad=True)
    own, taught = heads(x, num_visible=4)
    assert not taught.requires_grad
    assert not any(parameter.requires_grad for parameter in heads.teachers.parameters())
    (own.sum()).backward()
    assert all(parameter.grad is not None for parameter in heads.students.parameters())
    assert len(heads.state_dict()) == 4


def test_golden_value_of_dns(golden_batch):
    """Half of the divergence and a quarter of the identity terms, on features and their branch."""
    x, labels = golden_batch(1)
    heads = ModalityHeads(16, num_ids=8).double()
    k = torch.arange(128, dtype=torch.float64)
    for part in (heads.students, heads.teachers):
        for key, shift in dict(visible=1, infrared=4).items():
            part[key].classifier.weight.data = 0.1 * torch.sin(k + shift).view(8, 16)
    total = 0
    for rows in (x, x.roll(5, dims=1)):
        own, taught = heads(rows, 32)
        identity = sum(F.cross_entropy(own[m], labels[m]) for m in (slice(32), slice(32, 64)))
        total = total + 0.5 * mutual_teaching(own, taught, 32) + 0.25 * identity
    # the figure is of a release that leaves float64 somewhere
    assert total.item() == pytest.approx(2.7083743679281302, abs=1e-7)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match='`num_ids` is 0'):
        ModalityHeads(6, num_ids=0)
    with pytest.raises(ValueError, match='`num_visible` is 7 in a batch of 7'):
        build()(torch.randn(7, 6), num_visible=7)
