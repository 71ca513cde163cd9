import copy
import re

import pytest
import torch
from mmengine.optim import OptimWrapperDict, build_optim_wrapper
from torch import nn

from mmvireid.engine.optimizers import AlternatingOptimWrapperConstructor
from mmvireid.models.base import AlternatingReID

SGD = dict(type='SGD', lr=0.1)
ENTRIES = dict(
    generation=dict(modules=['encoder', 'decoder'], optimizer=dict(type='Adam', lr=1e-3)),
    reid=dict(modules=['head'], optimizer=SGD),
)


class Toy(AlternatingReID):
    updates = dict(joint=('generation', 'reid'))

    def __init__(self):
        super().__init__(loss_weights=dict(identity=1.0))
        self.encoder, self.decoder = nn.Linear(2, 2), nn.Linear(2, 2)
        self.head = nn.Linear(2, 3)

    loss = extract = None


@pytest.fixture
def build():
    """``build(reid=dict(...), ...)``: the wrappers of changed entries."""

    def call(model=None, paramwise_cfg=None, **changes):
        entries = copy.deepcopy(ENTRIES)
        for name, change in changes.items():
            entries[name] = entries.get(name, {}) | change
        constructor = AlternatingOptimWrapperConstructor(entries, paramwise_cfg)
        return constructor(model or Toy())

    return call


def test_every_optimiser_gets_its_modules(build):
    model = Toy()
    wrappers = build(model)
    assert isinstance(wrappers, OptimWrapperDict)
    assert isinstance(wrappers['generation'].optimizer, torch.optim.Adam)
    assert isinstance(wrappers['reid'].optimizer, torch.optim.SGD)
    owned = {
        name: {id(p) for group in wrapper.param_groups for p in group['params']}
        for name, wrapper in wrappers.items()
    }
    children = (model.encoder, model.decoder)
    assert owned['generation'] == {id(p) for child in children for p in child.parameters()}
    assert owned['reid'] == {id(p) for p in model.head.parameters()}


def test_a_config_builds_the_same(build):
    cfg = dict(constructor='AlternatingOptimWrapperConstructor', **copy.deepcopy(ENTRIES))
    assert set(build_optim_wrapper(Toy(), cfg).optim_wrappers) == {'generation', 'reid'}


def test_rates_by_name_count_within_an_optimiser(build):
    model = Toy()
    rates = dict(custom_keys=dict(decoder=dict(lr_mult=0.1)))
    wrappers = build(model, generation=dict(paramwise_cfg=rates))
    rates = {id(g['params'][0]): g['lr'] for g in wrappers['generation'].param_groups}
    assert rates[id(model.encoder.weight)] == pytest.approx(1e-3)
    assert rates[id(model.decoder.weight)] == pytest.approx(1e-4)


def test_a_parameter_that_is_not_trained_needs_no_owner(build):
    model = Toy()
    model.rest = nn.Linear(2, 2).requires_grad_(False)
    build(model)
    model.rest.requires_grad_(True)
    with pytest.raises(ValueError, match=r'`rest\.weight` is moved by no optimiser, expected'):
        build(model)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(other=dict(modules=['head'])), "has ['generation', 'other', 'reid'], expected ['gen"),
        (dict(reid=dict(modules=['haed'])), "`optim_wrapper.reid.modules` is ['haed'], expected"),
        (dict(reid=dict(modules=[])), '`optim_wrapper.reid.modules` is [], expected some of'),
        (
            dict(reid=dict(modules=['head', 'decoder'])),
            "`decoder.weight` is moved by ['generation'",
        ),
        (dict(generation=dict(modules=['encoder'])), '`decoder.weight` is moved by no optimiser'),
        (dict(reid=dict(accumulative_counts=2)), '`optim_wrapper.reid.accumulative_counts` is 2'),
        (dict(reid=dict(type='AutocastOptimWrapper')), "['OptimWrapper', 'AutocastOptimWrapper']"),
        (dict(paramwise_cfg=dict(custom_keys={})), '`optim_wrapper.paramwise_cfg` is'),
    ],
)
def test_a_table_that_does_not_fit_is_named(changes, message, build):
    build()
    with pytest.raises(ValueError, match=re.escape(message)):
        build(**changes)


def test_an_optimiser_that_is_missing_is_named():
    with pytest.raises(ValueError, match=r"has \['reid'\], expected \['generation', 'reid'\]"):
        AlternatingOptimWrapperConstructor(dict(reid=ENTRIES['reid']))(Toy())


def test_scaled_losses_cannot_share_a_backward_pass(build, monkeypatch):
    class Scaled(Toy):
        updates = dict(generation=('generation',), reid=('reid',))

    # MMEngine's wrapper refuses machines without a GPU; only its type matters here
    monkeypatch.setattr('mmengine.optim.AmpOptimWrapper.__init__', lambda self, **_: None)
    scaled = dict(type='AmpOptimWrapper')
    with pytest.raises(ValueError, match="update 'joint' are .*AmpOptimWrapper.*none that scales"):
        build(generation=scaled, reid=scaled)
    build(Scaled(), generation=scaled, reid=scaled)
