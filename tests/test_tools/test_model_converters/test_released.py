"""The command on files; what it converts is tested with ``released_weights``."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

from mmvireid.apis import init_model
from mmvireid.registry import MODELS

CONFIGS = Path(__file__).parents[3] / 'configs'


@pytest.fixture
def main(load_tool):
    return load_tool('model_converters/released.py').main


@pytest.fixture
def released(shrink, tmp_path):
    """A tiny config, its model, and the model's networks in files as a release may have them."""
    cfg = shrink('configs/aligngan/aligngan-released_sysu.py')
    cfg.dump(tmp_path / 'tiny.py')
    torch.manual_seed(5)
    model = init_model(cfg)
    for name, network in dict(
        encoder=model.feature_module.extractor,
        classifier=model.feature_module.classifier,
        rgb_to_ir=model.visible_to_infrared,
        ir_to_rgb=model.infrared_to_visible,
    ).items():
        weights = {f'module.{key}': value for key, value in network.state_dict().items()}
        torch.save(weights, tmp_path / f'{name}.pkl')
    torch.save({'fc.weight': torch.zeros(3, 2)}, tmp_path / 'other.pkl')
    return str(tmp_path / 'tiny.py'), model, [str(path) for path in tmp_path.glob('*.pkl')]


def test_several_files_become_one_checkpoint(main, released, tmp_path, capsys):
    config, model, files = released
    out = str(tmp_path / 'new/out.pth')
    main(['aligngan', *files, out, '--config', config])
    printed = capsys.readouterr().out
    again = init_model(config, out)
    inputs = {key: torch.rand(2, 3, 64, 64) for key in ('visible', 'infrared')}
    with torch.no_grad():
        assert torch.equal(again(inputs), model(inputs))
    rows = dict(line.split(maxsplit=1) for line in printed.splitlines()[2:9])
    assert {name: row.strip() for name, row in rows.items()} == {
        'feature_module.extractor': 'encoder',
        'visible_to_infrared': 'rgb_to_ir',
        'infrared_to_visible': 'ir_to_rgb',
        'feature_module.classifier': 'classifier',
        'feature_module.embedder': 'not found',
        'joint_discriminator': 'not found',
        'visible_discriminator': 'not found',
    }
    assert 'of ours left as initialised: feature_module.embedder.weight, ' in printed
    num_ids = model.feature_module.classifier.num_ids
    assert f'{num_ids} identities' in printed
    assert f'model.feature_module.classifier.num_ids={num_ids}' in printed
    assert '1 tensors of the release dropped: other.fc.weight.' in printed


def test_the_user_says_what_is_meant(main, released, tmp_path, capsys):
    config, model, files = released
    names = 'visible_to_infrared=ir_to_rgb', 'infrared_to_visible=rgb_to_ir'
    out = str(tmp_path / 'out.pth')
    main(['aligngan', *files, out, '--config', config, '--part', names[0], '--part', names[1]])
    again = init_model(config, out)
    for key, value in model.infrared_to_visible.state_dict().items():
        assert torch.equal(again.visible_to_infrared.state_dict()[key], value)


def test_mistakes_are_one_line(main, released, tmp_path, capsys):
    config, _, files = released
    out = tmp_path / 'out.pth'
    for arguments, message in {
        ('aligngan', files[0]): 'the feature encoder and the generator of infrared images',
        ('hicmd', files[0]): 'the generator, feature module and classifier of a Hi-CMD checkpoint',
        ('agw', files[0]): 'expected an AGW checkpoint',
        ('agw', 'none.pkl'): 'no such file',
    }.items():
        with pytest.raises(SystemExit, match=f'released: .*{message}'):
            main([*arguments, str(out)] + ['--config', config] * (arguments[0] == 'aligngan'))
    for arguments in (['aligngan', str(out)], ['agw', 'a', 'b', '--part', 'trunk']):
        with pytest.raises(SystemExit, match='2'):
            main(arguments)
        assert 'expected IN, OUT, and --part OURS=NAME' in capsys.readouterr().err
    assert not out.exists()


class Attention(nn.Module):
    """An attention of a release with its matrix written out; both kinds of DEEN, and the non-local.

    Channels are compared, or positions; of positions DEEN reads halves, as if there were twice as
    many channels.
    """

    def __init__(self, high, low, inner, channels=False, stride=1, g_in_list=False):
        super().__init__()
        self.channels, self.low = channels, inner if g_in_list else low
        g = nn.Conv2d(low, inner, 1)
        self.g = nn.Sequential(g) if g_in_list else g
        self.theta = nn.Conv2d(high, inner, 1)
        self.phi = nn.Conv2d(low, inner, 1, stride=stride)
        self.W = nn.Sequential(nn.Conv2d(inner, high, 1, stride=stride), nn.BatchNorm2d(high))

    def forward(self, x, begun):
        theta, phi, g = (
            conv(maps).reshape(len(x), self.low, -1)
            for conv, maps in ((self.theta, x), (self.phi, begun), (self.g, begun))
        )
        if self.channels:
            energy = theta @ phi.transpose(1, 2)
            mixed = (energy / energy.shape[2] @ g).reshape(len(x), self.low, *begun.shape[2:])
        else:
            energy = theta.transpose(1, 2) @ phi
            mixed = energy / energy.shape[2] @ g.transpose(1, 2)
            mixed = mixed.transpose(1, 2).reshape(len(x), -1, *x.shape[2:])
        return x + self.W(mixed)


class Aggregation(nn.Module):
    def __init__(self, high, low, stride):
        super().__init__()
        self.CNL = Attention(high, low, low, channels=True, stride=stride)
        self.PNL = Attention(high, low, low // 2)

    def forward(self, x, begun):
        return self.PNL(self.CNL(x, begun), begun)


class Expansion(nn.Module):
    def __init__(self, channels):
        super().__init__()
        for branch in '12':
            for d in (1, 2, 3):
                conv = nn.Conv2d(channels, channels // 4, 3, padding=d, dilation=d, bias=False)
                self.add_module(f'FC{branch}{d}', conv)
            self.add_module(f'FC{branch}', nn.Conv2d(channels // 4, channels, 1))

    def forward(self, x):
        parts = dict(self.named_children())
        maps = [x]
        for branch in '12':
            mean = sum(parts[f'FC{branch}{d}'](x) for d in (1, 2, 3)) / 3
            maps.append(parts[f'FC{branch}'](F.relu(mean)))
        return torch.cat(maps)


class Mining(nn.Module):
    """A block of MSCMNet, all that it owns."""

    def __init__(self, channels, side, positions, heads, kind):
        super().__init__()
        inner = channels // 4
        self.kind = kind
        self.ATT_narrow, self.ATT_broad = (
            nn.Conv2d(channels, inner, 1),
            nn.Conv2d(inner, channels, 1),
        )
        self.ATT_narrow1 = nn.Conv2d(side, inner, 6, 4, 2)
        self.ATT_narrow2 = nn.Conv2d(side, inner, 4, 2, 1)
        self.attn = nn.MultiheadAttention(positions, heads)
        self.ln_1, self.ln_1o, self.ln_2 = (nn.LayerNorm(positions) for _ in range(3))
        self.mlp = nn.Sequential()
        self.mlp.add_module('c_fc', nn.Linear(positions, 4 * positions))
        self.mlp.add_module('c_proj', nn.Linear(4 * positions, positions))

    def forward(self, x, side):
        rows = self.ln_1(self.ATT_narrow(x).flatten(2))
        asked = rows
        if self.kind is not None:
            conv = dict(six=self.ATT_narrow1, four=self.ATT_narrow2)[self.kind]
            asked = self.ln_1o(conv(side).flatten(2))
            rows = rows + 0.1 * asked
        asked, values = asked.transpose(0, 1), rows.transpose(0, 1)  # tokens first
        rows = rows + self.attn(asked, asked, values)[0].transpose(0, 1)
        hidden = self.mlp.c_fc(self.ln_2(rows))
        rows = rows + self.mlp.c_proj(hidden * torch.sigmoid(1.702 * hidden))
        return self.ATT_broad(rows.reshape(len(x), -1, *x.shape[2:]))


class NarrowResNet34(ResNet):
    """As many blocks as ResNet-50, a quarter of ResNet-34's channels behind the stem."""

    def __init__(self):
        super().__init__(BasicBlock, [3, 4, 6, 3])

    def _make_layer(self, block, planes, *args, **kwargs):
        return super()._make_layer(block, planes // 4, *args, **kwargs)


class Released(nn.Module):
    """What the networks that were built on AGW's code share, three or five whole ResNets."""

    stems = dict(visible=['visible_module.visible'], infrared=['thermal_module.thermal'])

    def __init__(self, last_stage=4):
        super().__init__()
        for name in [*self.stems['visible'], *self.stems['infrared'], 'base_resnet.base']:
            parent, child = name.split('.')
            self.add_module(parent, nn.Module())
            net = NarrowResNet34()
            block = net.layer4[0]  # of stride 1
            block.conv1.stride = block.downsample[0].stride = (1, 1)
            getattr(self, parent).add_module(child, net)
        width = self.base_resnet.base.get_submodule(f'layer{last_stage}')[-1].bn2.num_features
        self.bottleneck = nn.BatchNorm1d(width)
        self.classifier = nn.Linear(width, 7, bias=False)

    def stem(self, image, modality):
        nets = [self.get_submodule(name) for name in self.stems[modality]]
        maps = [net.maxpool(net.relu(net.bn1(net.conv1(image)))) for net in nets]
        return sum(maps) / len(maps)


class ReleasedDEEN(Released):
    def __init__(self, last_stage=4):
        super().__init__(last_stage)
        widths = [64, 16, 32, 64]  # of the narrow network
        for k in range(1, last_stage):
            self.add_module(f'MFA{k}', Aggregation(widths[k], widths[k - 1], 1 if k == 1 else 2))
        self.DEE = Expansion(widths[last_stage - 1])
        self.last_stage = last_stage

    def forward(self, image, modality):
        x, base = self.stem(image, modality), self.base_resnet.base
        for k in range(1, self.last_stage):
            x = self.get_submodule(f'MFA{k}')(base.get_submodule(f'layer{k}')(x), x)
        x = base.get_submodule(f'layer{self.last_stage}')(self.DEE(x))
        pooled = x.mean((2, 3))
        rows = [*pooled.chunk(3), *self.bottleneck(pooled).chunk(3)]
        return torch.cat([F.normalize(row) for row in rows], dim=1)


class ReleasedMSCMNet(Released):
    stems = dict(
        visible=['visible_module.visible', 'visible_moduleA.visible'],
        infrared=['thermal_module.thermal', 'thermal_moduleA.thermal'],
    )

    def __init__(self):
        super().__init__()
        self.NL_2 = nn.ModuleList(Attention(32, 32, 16, g_in_list=True) for _ in range(2))
        self.NL_3 = nn.ModuleList(Attention(64, 64, 32, g_in_list=True) for _ in range(3))
        for index, (side, kind) in enumerate([(64, 'six'), (16, 'six'), (32, 'four'), (64, None)]):
            self.add_module(f'layerATT{index}', Mining(64, side, 24, 4, kind))
        self.local_conv, self.feat_bn2d = nn.Conv2d(64, 8, 1), nn.BatchNorm2d(8)

    def forward(self, image, modality):
        x, base = self.stem(image, modality), self.base_resnet.base
        maps = [x, base.layer1(x)]
        for stage, blocks in ((base.layer2, self.NL_2), (base.layer3, self.NL_3)):
            x = maps[-1]
            for index, block in enumerate(stage, start=len(blocks) - len(stage)):
                x = block(x)
                x = x if index < 0 else blocks[index](x, x)
            maps.append(x)
        for index, side in enumerate(maps):
            x = self.get_submodule(f'layerATT{index}')(x, side)
        pooled = (base.layer4(x).pow(3).mean((2, 3)) + 1e-12).pow(1 / 3)
        return F.normalize(self.bottleneck(pooled))


#: Our config of a release, its stand-in, and what of ours is made as small.
NETWORKS = {
    'deen': ('deen/deen_sysu.py', ReleasedDEEN, {}),
    'deen-regdb': ('deen/deen_regdb.py', lambda: ReleasedDEEN(3), {}),
    'mscmnet': (
        'mscmnet/mscmnet_sysu.py', ReleasedMSCMNet,
        {'plugins.layer3.map_size': (6, 4), 'plugins.layer3.num_heads': 4},
    ),
}  # fmt: skip


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """``stand_in('deen')``: a small config, the network of the release, and its file."""
    monkeypatch.setattr('torchvision.models.resnet34', lambda weights=None: NarrowResNet34())

    def build(method):
        config, network, values = NETWORKS[method]
        cfg = Config.fromfile(CONFIGS / config)
        small = dict(depth=34, init_cfg=None) | values
        cfg.merge_from_dict({f'model.backbone.{key}': value for key, value in small.items()})
        cfg.dump(tmp_path / f'{method}.py')
        torch.manual_seed(0)
        released = network().eval()
        for module in released.modules():  # so that everything matters
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm):
                nn.init.normal_(module.weight, 1, 0.3)
                nn.init.normal_(module.bias, 0, 0.3)
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                nn.init.uniform_(module.running_var, 0.5, 2)
                nn.init.normal_(module.running_mean, std=0.1)
        for module in released.modules():
            if isinstance(module, Attention):  # products of three maps, one behind the other
                module.W[1].weight.data *= 1e-2
        content = dict(net=released.state_dict(), mAP=0.5, epoch=3)
        torch.save(content, tmp_path / f'{method}.t')
        return str(tmp_path / f'{method}.py'), released, str(tmp_path / f'{method}.t')

    return build


@pytest.mark.parametrize('method', NETWORKS)
def test_features_equal_those_of_the_network_that_is_described(
    method, stand_in, main, tmp_path, capsys, monkeypatch
):
    config, released, file = stand_in(method)
    out = tmp_path / 'out.pth'
    main([method, file, str(out), '--config', config])
    weights = torch.load(out, weights_only=True)['state_dict']
    dropped = len(released.state_dict()) - len(weights)
    assert f'{dropped} tensors of the release dropped: ' in capsys.readouterr().out
    cfg = Config.fromfile(config)
    cfg.model.head.num_ids = 7
    model = MODELS.build(cfg.model).eval()
    model.load_state_dict(weights, strict=True)
    image = torch.randn(2, 3, 96, 64)
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-9)):
        if dtype is torch.float64:  # what guards against half precision
            monkeypatch.setattr(torch.Tensor, 'float', torch.Tensor.double)
        for modality in ('visible', 'infrared'):
            with torch.no_grad():
                ours = model.to(dtype).extract({modality: image.to(dtype)}).double()
                theirs = released.to(dtype)(image.to(dtype), modality)
            ours, theirs = F.normalize(ours), F.normalize(theirs.double())
            torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)


def test_a_file_of_another_network_is_refused_with_what_it_lacks(stand_in, main, tmp_path):
    out = tmp_path / 'out.pth'
    (config, _, file), (other, _, other_file) = map(stand_in, ('deen', 'mscmnet'))
    for arguments, message in (
        (
            ['mscmnet', file, str(out), '--config', other],
            'missing: backbone.plugins.layer3.0.levels.0.',
        ),
        (['deen', other_file, str(out), '--config', config], 'missing: backbone.plugins.layer1'),
        (['agw', file, str(out)], 'expected an AGW checkpoint .*deen.t does not fit the model'),
    ):
        with pytest.raises(SystemExit, match=message):
            main(arguments)
    assert not out.exists()
