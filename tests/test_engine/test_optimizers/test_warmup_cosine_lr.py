import math

import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS as MM_SCHEDULERS
from mmengine.registry import init_default_scope
from torch import nn

from mmvireid.engine.optimizers import WarmupCosineLR
from mmvireid.registry import PARAM_SCHEDULERS


def two_groups():
    layers = nn.Linear(2, 2), nn.Linear(2, 2)
    groups = [
        dict(params=layer.parameters(), lr=rate) for layer, rate in zip(layers, (3e-4, 1.5e-4))
    ]
    return torch.optim.AdamW(groups)


def table(scheduler, optimizer, length):
    rows = []
    for _ in range(length):
        rows.append([group['lr'] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return rows


def test_rates_equal_the_formula_and_stay_at_the_floor():
    optimizer = two_groups()
    rows = table(WarmupCosineLR(optimizer, 3e-6, warmup=3, end=24), optimizer, 26)
    for epoch, row in enumerate(rows, start=1):
        for base, rate in zip((3e-4, 1.5e-4), row):
            share = (1 + math.cos(math.pi * min(epoch, 24) / 24)) / 2
            share = epoch / 3 if epoch < 3 else share
            assert rate == pytest.approx(3e-6 + (base - 3e-6) * share, rel=1e-12), epoch
    assert rows[23] == pytest.approx([3e-6, 3e-6])


def test_a_later_schedule_begins_where_it_is_told():
    optimizer = two_groups()
    rows = table(WarmupCosineLR(optimizer, 0.0, warmup=0, begin=2, end=4), optimizer, 5)
    assert [row[0] / 3e-4 for row in rows] == pytest.approx([1, 1, 0.5, 0, 0])


def test_iterations_end_where_epochs_do():
    init_default_scope('mmvireid')
    optimizer = two_groups()
    cfg = dict(type='WarmupCosineLR', floor=3e-6, warmup=3, end=24, convert_to_iter_based=True)
    scheduler = PARAM_SCHEDULERS.build(cfg, default_args=dict(optimizer=optimizer, epoch_length=5))
    assert not scheduler.by_epoch
    by_iteration = table(scheduler, optimizer, 120)
    optimizer = two_groups()
    by_epoch = table(WarmupCosineLR(optimizer, 3e-6, 3, end=24), optimizer, 24)
    assert by_iteration[4::5] == [pytest.approx(row) for row in by_epoch]


def test_a_resumed_schedule_goes_on():
    optimizer, again = two_groups(), two_groups()
    straight = WarmupCosineLR(optimizer, 3e-6, warmup=2, end=8)
    rows = table(straight, optimizer, 5)
    resumed = WarmupCosineLR(again, 3e-6, warmup=2, end=8)
    resumed.load_state_dict(straight.state_dict())
    for group, other in zip(again.param_groups, optimizer.param_groups):
        group['lr'] = other['lr']
    assert table(resumed, again, 4) == table(straight, optimizer, 4)
    assert len(rows) == 5


@pytest.mark.parametrize(
    'values', [dict(), dict(end=3), dict(warmup=-1, end=9), dict(floor=-1.0, end=9)]
)
def test_what_is_no_schedule_is_refused(values):
    with pytest.raises(ValueError, match='WarmupCosineLR: `floor` is .*behind the warm-up'):
        WarmupCosineLR(two_groups(), **dict(floor=0.0, warmup=3) | values)


def test_configs_find_it():
    assert MM_SCHEDULERS.get('mmvireid.WarmupCosineLR') is WarmupCosineLR
