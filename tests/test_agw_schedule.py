"""AGW's config against the released schedule, epoch by epoch and group by group."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS

from mmvireid.registry import MODELS

CONFIG = Path(__file__).parents[1] / 'configs/agw/agw_sysu.py'


def released_rate(epoch: int) -> float:
    if epoch < 10:
        return 0.1 * (epoch + 1) / 10
    return 0.1 if epoch < 20 else 0.01 if epoch < 50 else 0.001


@pytest.fixture(scope='module')
def rates():
    """Learning rate by parameter and epoch."""
    cfg = Config.fromfile(CONFIG)
    cfg.model.backbone.update(depth=18, init_cfg=None)
    cfg.model.backbone.non_local = {}
    model = MODELS.build(cfg.model)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    schedulers = [
        PARAM_SCHEDULERS.build(scheduler, default_args=dict(optimizer=wrapper))
        for scheduler in cfg.param_scheduler
    ]
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    table = []
    for _ in range(cfg.train_cfg.max_epochs):
        groups = wrapper.optimizer.param_groups
        table.append({names[id(group['params'][0])]: dict(group) for group in groups})
        wrapper.step()  # there are no gradients: nothing moves
        for scheduler in schedulers:
            scheduler.step()
    return table


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
