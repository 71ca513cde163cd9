"""Every config is built as it stands, and trained and tested after shrinking."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from mmvireid.registry import MODELS

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ('configs/*/*.py', 'projects/*/configs/*.py')
    for path in ROOT.glob(pattern)
    if '_base_' not in path.parts
)


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch):
    """``custom_imports`` of a project starts from the folder that commands are run in."""
    monkeypatch.syspath_prepend(str(ROOT))


def test_there_are_configs():
    assert 'configs/agw/agw_sysu.py' in CONFIGS


@pytest.mark.parametrize('config', CONFIGS)
def test_it_is_built_as_it_stands(config):
    cfg = Config.fromfile(ROOT / config)
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model)
    build_optim_wrapper(model, cfg.optim_wrapper)
    assert cfg.default_scope == 'mmvireid'
    assert cfg.randomness.seed is not None
    assert Config.fromstring(cfg.pretty_text, '.py').model == cfg.model


@pytest.mark.parametrize('config', CONFIGS)
def test_it_trains_and_evaluates(config, shrink):
    cfg = shrink(str(ROOT / config))
    runner = Runner.from_cfg(cfg)
    before = {key: value.clone() for key, value in runner.model.state_dict().items()}
    runner.train()
    assert runner.iter == 2
    after = runner.model.state_dict()
    moved = {key for key in after if not torch.equal(before[key], after[key])}
    frozen = {'neck.bn.bias'}
    assert set(after) - moved == frozen
    assert all(torch.isfinite(value).all() for value in after.values())
    metrics = runner.test()
    assert metrics
    assert all(0 <= value <= 100 for value in metrics.values())
