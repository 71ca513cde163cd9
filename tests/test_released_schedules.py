"""Configs against the released schedules, epoch by epoch and group by group.

AGW's, and those of what was released on its code: CAJ, RLE, DEEN, MSCMNet.
"""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS

from mmvireid.registry import MODELS

CONFIGS = Path(__file__).parents[1] / 'configs'
#: Epochs, and those at which the rate falls to a tenth.
SCHEDULES = {
    'mscmnet/mscmnet_sysu.py': (150, (25, 80)),
    'agw/agw_sysu.py': (81, (20, 50)),
    'caj/caj_sysu.py': (100, (20, 50)),
    'rle/rle_sysu.py': (151, (20, 80, 120)),
    'deen/deen_sysu.py': (151, (20, 80)),
}
#: What has the whole rate, and not a tenth of it.
HEADS = {
    'agw/agw_sysu.py': {'neck.bn.weight', 'head.classifier.weight'},
    'caj/caj_sysu.py': {'neck.bn.weight', 'head.classifier.weight'},
    'deen/deen_sysu.py': {'neck.bn.weight', 'head.classifier.weight'},
    'mscmnet/mscmnet_sysu.py': {'neck.bn.weight', 'head.classifier.weight'},
    'rle/rle_sysu.py': {
        f'{name}.weight'
        for part in range(4)
        for name in (f'neck.parts.{part}.bn', f'head.heads.{part}.classifier')
    },
}


def released_rate(config: str, epoch: int, steps: tuple) -> float:
    if epoch < 10:
        warm_up = 0.1 + 0.09 * epoch if config.startswith('mscmnet') else (epoch + 1) / 10
        return 0.1 * warm_up
    return 0.1 * 0.1 ** sum(epoch >= step for step in steps)


@pytest.fixture(scope='module', params=SCHEDULES)
def run(request):
    """A config's name, and its learning rate by parameter and epoch."""
    cfg = Config.fromfile(CONFIGS / request.param)
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
    return SimpleNamespace(config=request.param, rates=table)


def test_rates_equal_the_released_table(run):
    epochs, steps = SCHEDULES[run.config]
    assert len(run.rates) == epochs
    for epoch, groups in enumerate(run.rates):
        for name, group in groups.items():
            factor = 0.1 if name.startswith('backbone.') else 1
            expected = factor * released_rate(run.config, epoch, steps)
            assert group['lr'] == pytest.approx(expected), (epoch, name)


def test_everything_that_moves_decays(run):
    for name, group in run.rates[0].items():
        assert group['weight_decay'] == 5e-4, name
        assert group['momentum'] == 0.9
        assert group['nesterov']
    assert {name for name in run.rates[0] if not name.startswith('backbone.')} == HEADS[run.config]
