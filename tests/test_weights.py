"""One way to load weights: all that takes a checkpoint takes and refuses the same files."""

from collections import OrderedDict

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModule
from mmengine.registry import init_default_scope
from torch import nn

from mmvireid.apis import init_model
from mmvireid.engine.runner import build_runner
from mmvireid.errors import Refusal
from mmvireid.models.backbones.vgg16_features import build_vgg16
from mmvireid.registry import MODELS

HEAD = dict(type='IdentityHead', in_channels=4, num_ids=3)
TRUNK = dict(type='ResNetTrunk', depth=18)
TRANSFORMER = dict(
    type='VisionTransformer',
    input_size=(32, 32),
    stride=16,
    feature_size=4,
    num_blocks=1,
    num_heads=1,
)


def pretrained(path):
    return dict(type='Pretrained', checkpoint=path)


class Layer(BaseModule):
    """A module that MMEngine initialises."""

    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.layer = nn.Linear(2, 2)


def by_init_model(path):
    return init_model(Config(dict(model=HEAD)), path)


def by_runner(path, tmp_path):
    """As tools/test.py, and tools/train.py with `load_from`."""
    name = f'{tmp_path.name}_{len(list(tmp_path.rglob("*")))}'
    settings = dict(work_dir=str(tmp_path / 'run'), experiment_name=name, log_level='ERROR')
    runner = build_runner(Config(dict(model=HEAD, load_from=path, **settings)))
    runner.load_or_resume()
    return runner.model.cpu()


def by_init_cfg(path):
    trunk = MODELS.build(TRUNK | dict(init_cfg=pretrained(path)))
    trunk.init_weights()
    return trunk


def by_transformer(path):
    network = MODELS.build(TRANSFORMER | dict(init_cfg=pretrained(path)))
    network.init_weights()
    return network


def by_mmengine(path):
    layer = Layer(pretrained(path))
    layer.init_weights()
    return layer


def by_loss(path):
    return build_vgg16(path, taps='relu', seed=0, key='x')


#: Who loads, and what it loads, with random weights.
WAYS = {
    by_init_model: lambda: MODELS.build(HEAD),
    by_runner: lambda: MODELS.build(HEAD),
    by_init_cfg: lambda: MODELS.build(TRUNK).stages,
    by_transformer: lambda: MODELS.build(TRANSFORMER),
    by_mmengine: Layer,
    by_loss: lambda: build_vgg16('random', taps='relu', seed=1, key='x'),
}


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def way(request, tmp_path):
    """``load(path)`` and a state dict that fits."""
    init_default_scope('mmvireid')
    weights = WAYS[request.param]().state_dict()
    if request.param is by_loss:
        weights = {f'features.{key}': value for key, value in weights.items()}  # torchvision's
    if request.param is by_runner:
        return lambda path: by_runner(path, tmp_path), weights
    return request.param, weights


def in_wrapper(weights):
    return OrderedDict((f'module.{key}', value) for key, value in weights.items())


TAKEN = {
    'weights alone': lambda w: w,
    'under state_dict': lambda w: dict(state_dict=w, meta=dict(epoch=3)),
    'of a wrapper, alone': in_wrapper,
    'of a wrapper, under state_dict': lambda w: dict(state_dict=in_wrapper(w)),
    'averaged': lambda w: dict(
        state_dict=w, ema_state_dict={k: v + 1 for k, v in in_wrapper(w).items()}
    ),
}
REFUSED = {
    'a tensor': lambda w: torch.ones(2),
    'a list': lambda w: list(w.values()),
    'under another key': lambda w: dict(epoch=3, net=w),
    'no dict under state_dict': lambda w: dict(state_dict=list(w)),
    'nothing': lambda w: {},
    'a part': lambda w: dict(list(w.items())[1:]),
}


@pytest.mark.parametrize('form', TAKEN)
def test_all_take_the_same_files(way, form, tmp_path):
    load, weights = way
    torch.save(TAKEN[form](weights), tmp_path / 'x.pth')
    loaded = load(str(tmp_path / 'x.pth')).state_dict()
    assert len(loaded) == len(weights)
    for ours, (name, value) in zip(loaded.values(), weights.items()):
        assert torch.equal(ours, value), name


@pytest.mark.parametrize('form', [*REFUSED, 'a page'])
def test_all_refuse_the_same_files(way, form, tmp_path):
    load, weights = way
    if form == 'a page':
        (tmp_path / 'x.pth').write_text('<html></html>')
    else:
        torch.save(REFUSED[form](weights), tmp_path / 'x.pth')
    with pytest.raises(Refusal) as error:
        load(str(tmp_path / 'x.pth'))
    assert '\n' not in str(error.value)
