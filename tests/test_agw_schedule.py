"""AGW's config against the released schedule, epoch by epoch and group by group."""

import pytest


def released_rate(epoch: int) -> float:
    if epoch < 10:
        return 0.1 * (epoch + 1) / 10
    return 0.1 if epoch < 20 else 0.01 if epoch < 50 else 0.001


@pytest.fixture(scope='module')
def rates(rate_table):
    return rate_table('agw/agw_sysu.py')


def test_rates_equal_the_released_table(rates):
    assert len(rates) == 81
    for epoch, groups in enumerate(rates):
        for name, group in groups.items():
            factor = 0.1 if name.startswith('backbone.') else 1
            assert group['lr'] == pytest.approx(factor * released_rate(epoch)), (epoch, name)


def test_everything_that_moves_decays(rates):
    for name, group in rates[0].items():
        assert group['weight_decay'] == 5e-4, name
        assert group['momentum'] == 0.9
        assert group['nesterov']
    assert {'neck.bn.weight', 'head.classifier.weight'} <= set(rates[0])
