import pytest
import torch
import torchvision

from mmvireid.models.backbones import ResNetTrunk
from mmvireid.registry import MODELS


def test_default_has_the_released_size():
    with torch.device('meta'):
        trunk = MODELS.build(dict(type='ResNetTrunk'))
        assert trunk(torch.empty(2, 256, 64, 32)).shape == (2, 1024, 16, 8)
    assert sum(p.numel() for p in trunk.parameters()) == 8_317_952
    assert (trunk.in_channels, trunk.out_channels, trunk.stride) == (256, 1024, 4)


@pytest.mark.parametrize(
    ('depth', 'stages', 'in_channels', 'out_channels'),
    [
        (18, ['layer2', 'layer3'], 64, 256),
        (18, ('layer1',), 64, 64),
        (18, ('layer1', 'layer2', 'layer3', 'layer4'), 64, 512),
        (34, ('layer4',), 256, 512),
        (50, ('layer1', 'layer2'), 64, 512),
        (50, ('layer2', 'layer3'), 256, 1024),
    ],
)
def test_pretrained_equals_torchvision(tmp_path, depth, stages, in_channels, out_channels):
    resnet = getattr(torchvision.models, f'resnet{depth}')(weights=None).eval()
    torch.save(resnet.state_dict(), tmp_path / 'imagenet.pth')
    checkpoint = dict(type='Pretrained', checkpoint=str(tmp_path / 'imagenet.pth'))
    trunk = ResNetTrunk(depth, stages, init_cfg=checkpoint).eval()
    trunk.init_weights()
    maps = torch.randn(1, in_channels, 16, 8)
    with torch.no_grad():
        found, expected = trunk(maps), maps
        for name in stages:
            expected = getattr(resnet, name)(expected)
    torch.testing.assert_close(found, expected)
    assert (trunk.in_channels, trunk.out_channels) == (in_channels, out_channels)
    assert found.shape == (1, out_channels, 16 // trunk.stride, 8 // trunk.stride)


def test_weights_are_loaded_once(tmp_path):
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / 'imagenet.pth')
    trunk = ResNetTrunk(18, init_cfg=dict(checkpoint=str(tmp_path / 'imagenet.pth')))
    trunk.init_weights()
    weight = trunk.stages.layer2[0].conv1.weight
    torch.nn.init.zeros_(weight)  # as training would change it
    trunk.init_weights()
    assert not weight.any()


def test_missing_weights_name_the_class(monkeypatch):
    def offline(*args, **kwargs):
        raise OSError('Name or service not known')

    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', offline)
    trunk = ResNetTrunk(18, init_cfg=dict(checkpoint='torchvision://resnet18'))
    with pytest.raises(RuntimeError, match=r'`ResNetTrunk\.init_cfg=None` to start from random'):
        trunk.init_weights()


def test_weights_of_another_depth_are_refused(tmp_path):
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / 'other.pth')
    trunk = ResNetTrunk(34, init_cfg=dict(checkpoint=str(tmp_path / 'other.pth')))
    with pytest.raises(ValueError, match='does not fit the model'):
        trunk.init_weights()


@pytest.mark.parametrize(
    'stages',
    [
        (),
        ('stem', 'layer1'),
        ('layer5',),
        ('layer1', 'layer3'),
        ('layer3', 'layer2'),
        ('layer2', 'layer2'),
        'layer2',
    ],
)
def test_stages_with_a_gap_are_named(stages):
    with pytest.raises(ValueError, match='ResNetTrunk: `stages` is .* expected consecutive ones'):
        ResNetTrunk(18, stages)


def test_unknown_depth_is_named():
    with pytest.raises(ValueError, match='`depth` is 20'):
        ResNetTrunk(20)
