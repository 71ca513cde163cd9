import weakref

import pytest
import torch
from torch import nn

from mmvireid.models.backbones import TwoStreamResNet
from mmvireid.models.plugins import BasePlugin, StagePlugins


class RecordingPlugin(BasePlugin):
    """Adds one, and remembers what it was given."""

    def __init__(self, in_channels, maps=None):
        super().__init__()
        self.in_channels, self.sizes, self.bias = in_channels, maps, nn.Parameter(torch.ones(1))

    def forward(self, x, maps):
        self.x, self.maps = x, dict(maps)
        return x + self.bias


class NeedingInput(RecordingPlugin):
    needs = ('input',)


class NeedingAll(RecordingPlugin):
    needs = ('stem', 'layer1', 'layer2')


class Tripling(BasePlugin):
    def __init__(self, in_channels):
        super().__init__()

    def forward(self, x, maps):
        return torch.cat([x, 2 * x, 3 * x])


IMAGES = dict(visible=torch.rand(2, 3, 64, 32), infrared=torch.rand(1, 3, 64, 32))


def build(**kwargs):
    torch.manual_seed(0)
    return TwoStreamResNet(18, num_stages=3, **kwargs).eval()


def test_every_plugin_gets_what_it_needs_and_nothing_else():
    plugins = dict(
        layer1=dict(type=NeedingInput),
        layer2=[dict(type=NeedingInput), dict(type=RecordingPlugin)],
        layer3=dict(type=NeedingAll),
    )
    net = build(plugins=plugins)
    found = net(IMAGES)
    x = stem = torch.cat(list(net.embed_stems(IMAGES).values()))
    maps = dict(stem=stem)
    for name, count in (('layer1', 1), ('layer2', 2), ('layer3', 1)):
        maps[name] = x = getattr(net.trunk, name)(x) + count
    torch.testing.assert_close(found, x)
    (first,), (second, third), (last,) = (net.plugins[name] for name in plugins)
    assert (first.in_channels, second.in_channels, last.in_channels) == (64, 128, 256)
    assert first.sizes == dict(input=(64, 1))
    assert second.sizes == dict(input=(64, 2))
    # the last stage has stride 1
    assert last.sizes == dict(stem=(64, 2), layer1=(64, 2), layer2=(128, 1))
    assert third.maps == {} and third.sizes is None
    for given, expected in (
        (first.maps, dict(input=stem)),
        (second.maps, dict(input=maps['layer1'])),
        (last.maps, {name: maps[name] for name in NeedingAll.needs}),
    ):
        torch.testing.assert_close(given, expected)


def test_a_map_that_nobody_needs_is_not_kept():
    alive = {}

    class Asking(RecordingPlugin):
        def forward(self, x, maps):
            alive.update({name: ref() is not None for name, ref in seen.items()})
            return x

    seen = {}
    net = build(plugins=dict(layer3=dict(type=Asking)))
    for name in ('layer1', 'layer2'):
        stage = getattr(net.trunk, name)
        stage.register_forward_hook(
            lambda module, args, out, name=name: seen.update({name: weakref.ref(out)})
        )
    with torch.no_grad():
        net(IMAGES)
    assert alive == dict(layer1=False, layer2=False)


@pytest.mark.parametrize('split', ['none', 'conv1', 'stem', 'layer1'])
def test_plugins_stand_wherever_the_trunk_begins(split):
    plugins = dict(layer2=dict(type=NeedingInput), layer3=dict(type=RecordingPlugin))
    if split in ('none', 'conv1'):
        plugins['stem'] = dict(type=RecordingPlugin)
    net = build(split=split, plugins=plugins)
    found = net(IMAGES)
    x = torch.cat(list(net.embed_stems(IMAGES).values()))
    for name, module in net.trunk.named_children():
        x = module(x) + (name in plugins or (name == 'maxpool' and 'stem' in plugins))
    torch.testing.assert_close(found, x)


def test_a_plugin_may_make_more_maps_of_each():
    net = build(plugins=dict(layer2=dict(type=Tripling)))
    x = net.trunk.layer2(net.trunk.layer1(torch.cat(list(net.embed_stems(IMAGES).values()))))
    torch.testing.assert_close(net(IMAGES), net.trunk.layer3(torch.cat([x, 2 * x, 3 * x])))


def test_names_and_imagenet_weights_are_those_of_the_network_without(tmp_path):
    plain = build()
    weights = {
        **{f'fc.{key}': torch.zeros(1) for key in ('weight', 'bias')},
        **plain.stems['visible'].state_dict(),
        **plain.trunk.state_dict(),
    }
    torch.save(weights, tmp_path / 'resnet.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'resnet.pth'))
    plugged = build(plugins=dict(layer3=dict(type='ModalityAlleviationPlugin')), init_cfg=init_cfg)
    before = {k: v.clone() for k, v in plugged.plugins.state_dict().items()}
    plugged.trunk.layer1[0].conv1.weight.data.zero_()
    plugged.init_weights()
    added = set(plugged.state_dict()) - set(plain.state_dict())
    assert added == {f'plugins.{name}' for name in before}
    assert len(before) == 2 and set(plain.state_dict()) <= set(plugged.state_dict())
    for name, value in plugged.plugins.state_dict().items():
        assert torch.equal(value, before[name])
    for name, value in plugged.trunk.state_dict().items():
        assert torch.equal(value, weights[name]), name


@pytest.mark.parametrize(
    ('plugins', 'split', 'message'),
    [
        (dict(layer4=dict(type=RecordingPlugin)), 'stem', r"has 'layer4', expected some of \["),
        (dict(layer1=dict(type=RecordingPlugin)), 'layer1', r"has 'layer1', expected some of \["),
        (dict(stem=dict(type=RecordingPlugin)), 'stem', "has 'stem'"),
        (dict(layer3=dict(type='BNNeck')), 'stem', 'is a BNNeck, expected a BasePlugin'),
        (dict(layer3=['MAM']), 'stem', "`plugins.layer3.0` is 'MAM', expected the config"),
        (dict(layer2=dict(type=NeedingAll)), 'stem', r"needs the maps of \['layer2'\]"),
        (dict(layer3=dict(type=NeedingAll)), 'layer1', r"needs the maps of \['stem'\], expected"),
        (
            dict(layer3=dict(type='ModalityAlleviationPlugin', in_channels=3)),
            'stem',
            r'`StagePlugins.plugins.layer3.0` has',
        ),
    ],
)
def test_what_cannot_be_is_named(plugins, split, message):
    with pytest.raises((ValueError, TypeError), match=message):
        build(plugins=plugins, split=split)


def test_without_plugins_the_trunk_is_called_as_it_is():
    net = build()
    assert list(net.plugins.state_dict()) == []
    called = []
    net.trunk.register_forward_hook(lambda *args: called.append(1))
    net(IMAGES)
    assert called == [1]
    assert isinstance(net.plugins, StagePlugins)
