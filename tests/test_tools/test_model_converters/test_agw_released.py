"""The converter against a stand-in for the released network, built here from its description."""

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from mmvireid.apis.released_weights import convert_by_names, flatten_weights
from mmvireid.apis.releases import RELEASES
from mmvireid.registry import MODELS


@pytest.fixture(scope='module')
def tool(load_tool):
    return load_tool('model_converters/agw_released.py')


def convert(released):
    return convert_by_names(RELEASES['agw'], flatten_weights(released))


class NonLocal(nn.Module):
    """Attention matrix written out, released names, inner width 1."""

    def __init__(self, channels):
        super().__init__()
        self.g = nn.Sequential(nn.Conv2d(channels, 1, 1))
        self.theta = nn.Conv2d(channels, 1, 1)
        self.phi = nn.Conv2d(channels, 1, 1)
        self.W = nn.Sequential(nn.Conv2d(1, channels, 1), nn.BatchNorm2d(channels))

    def forward(self, x):
        n, _, h, w = x.shape
        g = self.g(x).view(n, 1, -1).permute(0, 2, 1)
        attention = self.theta(x).view(n, 1, -1).permute(0, 2, 1) @ self.phi(x).view(n, 1, -1)
        return x + self.W((attention / (h * w) @ g).permute(0, 2, 1).reshape(n, 1, h, w))


def resnet():
    net = torchvision.models.resnet50(weights=None)
    net.layer4[0].conv2.stride = net.layer4[0].downsample[0].stride = (1, 1)
    for module in net.modules():  # so that statistics matter
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.running_mean, std=0.1)
    return net


class Released(nn.Module):
    """The network of the release: three whole ResNets of which parts are used."""

    def __init__(self, num_ids):
        super().__init__()
        for name, part in dict(
            visible_module='visible', thermal_module='thermal', base_resnet='base'
        ).items():
            self.add_module(name, nn.Module())
            getattr(self, name).add_module(part, resnet())
        self.NL_2 = nn.ModuleList([NonLocal(512) for _ in range(2)])
        self.NL_3 = nn.ModuleList([NonLocal(1024) for _ in range(3)])
        for block in (*self.NL_2, *self.NL_3):
            nn.init.normal_(block.W[1].weight)
        self.bottleneck = nn.BatchNorm1d(2048)
        nn.init.uniform_(self.bottleneck.running_var, 0.5, 2)
        self.classifier = nn.Linear(2048, num_ids, bias=False)

    def forward(self, image, modality):
        stem = self.visible_module.visible if modality == 'visible' else self.thermal_module.thermal
        base = self.base_resnet.base
        x = base.layer1(stem.maxpool(stem.relu(stem.bn1(stem.conv1(image)))))
        for stage, blocks in ((base.layer2, self.NL_2), (base.layer3, self.NL_3)):
            for index, block in enumerate(stage):
                x = block(x)
                behind = index - (len(stage) - len(blocks))
                if behind >= 0:
                    x = blocks[behind](x)
        x = base.layer4(x)
        x = (x.pow(3).mean((2, 3)) + 1e-12).pow(1 / 3)
        return F.normalize(self.bottleneck(x))


@pytest.mark.parametrize('modality', ['visible', 'infrared'])
def test_features_equal_those_of_the_released_network(tool, tmp_path, modality):
    torch.manual_seed(0)
    released = Released(num_ids=7).eval()
    torch.save(dict(net=released.state_dict(), mAP=0.5, epoch=3), tmp_path / 'in.t')
    tool.main([str(tmp_path / 'in.t'), str(tmp_path / 'out.pth')])
    model = MODELS.build(
        dict(
            type='AGW',
            backbone=dict(type='TwoStreamResNet', non_local=dict(layer2=2, layer3=3)),
            neck=dict(type='BNNeck', pooling=dict(type='GeMPooling')),
            head=dict(type='IdentityHead', num_ids=7),
            identity_loss=dict(type='IdentityLoss'),
            triplet_loss=dict(type='WeightedRegularizedTripletLoss'),
            loss_weights=dict(identity=1.0, triplet=1.0),
        )
    ).eval()
    weights = torch.load(tmp_path / 'out.pth', weights_only=True)['state_dict']
    model.load_state_dict(weights, strict=True)
    image = torch.randn(2, 3, 64, 32)
    with torch.no_grad():
        ours, theirs = model({modality: image}), released(image, modality)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


def test_dead_weights_are_counted():
    released = Released(num_ids=7).state_dict()
    found = convert(released)
    kept, dropped = found.weights, found.dropped
    assert len(kept) + len(dropped) == len(released)
    trainable = [v.numel() for k, v in kept.items() if 'running' not in k and 'num_b' not in k]
    assert sum(trainable) == 23_546_255 + 2 * 2048 + 7 * 2048
    assert not any(key.startswith(('NL_', 'bottleneck', 'classifier')) for key in dropped)


def test_another_file_is_refused(tool, tmp_path):
    torch.save(dict(net={'fc.weight': torch.zeros(1)}), tmp_path / 'in.t')
    with pytest.raises(ValueError, match='expected an AGW checkpoint'):
        convert(torch.load(tmp_path / 'in.t'))
    with pytest.raises(SystemExit, match='released: .*expected an AGW checkpoint'):
        tool.main([str(tmp_path / 'in.t'), str(tmp_path / 'out.pth')])
    assert not (tmp_path / 'out.pth').exists()
