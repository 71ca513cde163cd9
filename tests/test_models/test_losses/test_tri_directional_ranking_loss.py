import pytest
import torch

from mmvireid.models.losses import TriDirectionalRankingLoss


@pytest.fixture
def three_groups(golden_batch):
    """The golden rows continued for a third group: visible, infrared, grey."""

    def build(scale, unit=False):
        labels = golden_batch(1)[1][:32]
        i, j = torch.arange(96).double()[:, None], torch.arange(16).double()
        y = labels.double().repeat(3)[:, None]
        x = (0.7 * i + 1.3 * j + 0.1 * i * j).sin() + 0.8 * (2.1 * y + 0.9 * j).cos()
        torch.testing.assert_close(x[:64], golden_batch(1)[0])
        x = x / x.norm(dim=1, keepdim=True) if unit else scale * x
        return list(x.chunk(3)), [labels] * 3

    return build


@pytest.mark.parametrize(
    ('scale', 'unit', 'form', 'plain', 'weighted'),
    [
        (0.2, False, 'proper', 1.603098387354, 1.648165512238),
        (0.2, False, 'released', 1.624580704719, 1.683607903888),
        (1, False, 'proper', 4.415491936771, 5.629687500617),
        (1, False, 'released', 4.522903523595, 6.100622137286),
        (1, True, 'proper', 1.916347467790, 2.007856303066),
        (1, True, 'released', 1.939132158450, 2.052636160711),
    ],
)
def test_golden_values(three_groups, scale, unit, form, plain, weighted):
    x, labels = three_groups(scale, unit)
    for value, is_weighted in ((plain, False), (weighted, True)):
        loss = TriDirectionalRankingLoss(weighted=is_weighted, form=form)(x, labels)
        assert loss.item() == pytest.approx(value, abs=1e-9)


def test_groups_may_be_of_different_sizes(three_groups):
    x, labels = three_groups(1)
    loss = TriDirectionalRankingLoss(weighted=False)
    fewer = [x[0][::2], x[1], x[2]], [labels[0][::2], labels[1], labels[2]]
    expected = 0.0
    for i, (rows, names) in enumerate(zip(*fewer)):
        (p, p_names), (n, n_names) = (
            (fewer[0][(i + s) % 3], fewer[1][(i + s) % 3]) for s in (1, 2)
        )
        for row, name in zip(rows, names):
            positive = max((row - other).norm() for other in p[p_names == name])
            negative = min((row - other).norm() for other in n[n_names != name])
            expected += max(0.0, (0.3 + positive - negative).item()) / len(rows)
    assert loss(*fewer).item() == pytest.approx(expected)


def test_what_is_no_such_loss_is_refused(three_groups):
    with pytest.raises(ValueError, match="`form` is 'meant'"):
        TriDirectionalRankingLoss(form='meant')
    x, labels = three_groups(1)
    with pytest.raises(ValueError, match='have 2 and 2 groups, expected three'):
        TriDirectionalRankingLoss()(x[:2], labels[:2])
