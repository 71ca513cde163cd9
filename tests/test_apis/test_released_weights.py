"""Round trips: our weights under other names, and in another order, come back as they were."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from mmengine.config import Config
from torch import nn

from mmvireid.apis.released_weights import (
    convert_by_layers,
    convert_strictly,
    flatten_weights,
)
from mmvireid.apis.releases import RELEASES
from mmvireid.registry import MODELS

CONFIGS = Path(__file__).parents[2] / 'configs'
SIZE = (48, 40)
#: Beginnings of our names, and what they are called in a release that is described so.
HICMD = {
    r'(visible|infrared)_prototype_encoder.down.(\d)': r'gen_\1.enc_p.model.\2.conv',
    r'(visible|infrared)_prototype_encoder.blocks.(\d).first': r'gen_\1.enc_p.model.4.\2.0.conv',
    r'(visible|infrared)_prototype_encoder.blocks.(\d).second': r'gen_\1.enc_p.model.4.\2.1.conv',
    r'(visible|infrared)_prototype_encoder.thin.(\d)': r'gen_\1.enc_p.model.5.rate\2.0.conv',
    r'(visible|infrared)_prototype_encoder.dilated.0': r'gen_\1.enc_p.model.5.rate1.1.conv',
    r'(visible|infrared)_prototype_encoder.dilated.1': r'gen_\1.enc_p.model.5.rate2.1.conv',
    r'(visible|infrared)_prototype_encoder.dilated.2': r'gen_\1.enc_p.model.5.rate3.1.conv',
    r'(visible|infrared)_prototype_encoder.fuse': r'gen_\1.enc_p.model.6.conv',
    r'(visible|infrared)_attribute_encoder.extractor.stages': r'gen_\1.enc_a.net',
    r'decoder.blocks.(\d).block.first': r'gen_visible.dec.model.0.\1.0.conv',
    r'decoder.blocks.(\d).block.second': r'gen_visible.dec.model.0.\1.1.conv',
    r'decoder.enlarge.(\d).1': r'gen_visible.dec.model.\1.up.conv',
    r'decoder.enlarge.(\d).2.weight': r'gen_visible.dec.model.\1.up.norm.gamma',
    r'decoder.enlarge.(\d).2.bias': r'gen_visible.dec.model.\1.up.norm.beta',
    r'decoder.refine.(\d)': r'gen_visible.dec.model.3.\1.conv',
    r'decoder.to_image': 'gen_visible.dec.model.4.conv',
    r'decoder.blocks.(\d).scales': r'gen_visible.mlp_w\1.model',
    r'decoder.blocks.(\d).shifts': r'gen_visible.mlp_b\1.model',
    r'feature_module.trunk.stages': 'id.backbone.model',
    r'feature_module.mix.weight': 'id.combine',
    r'feature_module.head.linear': 'id.classifier.add_block.0',
    r'feature_module.head.norm': 'id.classifier.add_block.1',
    r'feature_module.head.classifier': 'id.classifier.last',
    r'feature_module.head.embedder': 'id.classifier.embed',
    r'(visible|infrared)_discriminator': r'dis_\1.cnns',
}
ALIGNGAN = {
    r'feature_module.extractor.stages': 'encoder.module.feature_conv',
    r'feature_module.classifier.layers.reduce': 'classifier.module.block.0',
    r'feature_module.classifier.layers.norm': 'classifier.module.block.1',
    r'feature_module.classifier.layers.classifier': 'classifier.module.last',
    r'feature_module.embedder': 'embedder.module.fc',
    r'visible_to_infrared.layers': 'generator_rgb2ir.module.model',
    r'infrared_to_visible.layers': 'generator_ir2rgb.module.model',
    r'joint_discriminator': 'D_joint.module.net',
    r'visible_discriminator\b': 'D_rgb.module.net',
}


@pytest.fixture
def build(tiny_model):
    """``build('hicmd', seed)``: a release's config, tiny, with statistics that matter."""

    def call(method: str, seed: int, num_ids: int = 5):
        cfg = Config.fromfile(CONFIGS / RELEASES[method].config)
        tiny_model(cfg.model, num_ids=num_ids, input_size=SIZE, num_blocks=4)
        if method == 'aligngan':
            cfg.model.image_discriminator.num_layers = 3
            cfg.model.joint_discriminator.update(num_image_layers=2, num_joint_layers=1)
        torch.manual_seed(seed)
        model = MODELS.build(cfg.model).eval()
        for module in model.modules():
            for name, buffer in module.named_buffers(recurse=False):
                if name == 'running_var':
                    buffer.uniform_(0.5, 2)
                elif name == 'running_mean':
                    buffer.normal_()
        for parameter in model.parameters():  # so that nothing is 0, or equal in both modalities
            nn.init.normal_(parameter, parameter.mean().item(), 0.05)
        return model

    return call


def release(model, names):
    """A state dict under other names, as an older PyTorch saved it; what has none is left out.

    Branches stand one after the other, and norms before convolutions.
    """
    found = {}
    for key, value in model.state_dict().items():
        matches = ((re.match(pattern, key), theirs) for pattern, theirs in names.items())
        match, theirs = next((pair for pair in matches if pair[0]), (None, None))
        if match and not key.endswith('num_batches_tracked'):
            name = match.expand(theirs) + key[match.end() :]
            found[name.replace('_visible', '_a').replace('_infrared', '_b')] = value

    def in_order(name):
        parts = re.split(r'(\d+)', name.replace('norm', 'a_norm'))
        return [int(part) if part.isdecimal() else part for part in parts]

    return {name: found[name] for name in sorted(found, key=in_order)}


def images():
    torch.manual_seed(9)
    return {key: torch.rand(2, 3, *SIZE) * 2 - 1 for key in ('visible', 'infrared')}


@pytest.mark.parametrize(('method', 'names'), [('hicmd', HICMD), ('aligngan', ALIGNGAN)])
def test_a_round_trip_gives_the_same_model(build, method, names):
    model, other = build(method, seed=0), build(method, seed=1, num_ids=7)
    released = flatten_weights(release(model, names) | {'fc.weight': torch.zeros(3, 2)})
    found = convert_by_layers(RELEASES[method], released, other.state_dict())
    again = build(method, seed=2)
    again.load_state_dict(found.weights, strict=True)
    with torch.no_grad():
        assert torch.equal(again(images()), model(images()))
        for title, picture in model.generate(images()).items():
            assert torch.equal(again.generate(images())[title], picture), title
    assert found.dropped == ['fc.weight']
    named = {key for key in found.sources if found.sources[key] is not None}
    assert named == {name for part in RELEASES[method].parts for name in part.ours}
    expected = model.state_dict()
    differing = [
        k for k, value in again.state_dict().items() if not torch.equal(value, expected[k])
    ]
    assert differing == found.initial
    assert {key.split('.')[0] for key in differing} == (WARMUP if method == 'aligngan' else set())


#: Discriminators that the release throws away.
WARMUP = {'visible_discriminator_warmup', 'infrared_discriminator_warmup'}


def test_sources_are_told_and_what_features_do_not_need_may_be_absent(build):
    model, other = build('hicmd', seed=0), build('hicmd', seed=1)
    released = {
        key: value
        for key, value in release(model, HICMD).items()
        if not key.startswith(('dis_', 'gen_a.dec', 'gen_a.mlp_b3'))
    }
    found = convert_by_layers(RELEASES['hicmd'], released, other.state_dict())
    assert found.sources['visible_prototype_encoder'] == 'gen_a.enc_p'
    assert found.sources['infrared_attribute_encoder'] == 'gen_b.enc_a'
    absent = {key for key, source in found.sources.items() if source is None}
    shifts = {f'decoder.blocks.{block}.shifts' for block in range(4)}
    discriminators = {'visible_discriminator', 'infrared_discriminator'}
    assert absent == {'decoder', *shifts, *discriminators}
    initial, own = other.state_dict(), model.state_dict()
    for key, value in found.weights.items():
        initially = 'shifts' in key or key.startswith(('visible_d', 'infrared_d'))
        initially |= key.startswith('decoder') and 'scales' not in key
        assert torch.equal(value, (initial if initially else own)[key]), key
    # three of the four perceptrons for shifts: it cannot be known which
    assert {key.split('.')[1] for key in found.dropped} == {'mlp_b0', 'mlp_b1', 'mlp_b2'}
    model.load_state_dict(found.weights)
    with torch.no_grad():
        assert torch.equal(model(images()), build('hicmd', seed=0)(images()))


def test_copies_of_a_network_count_once(build):
    model, other = build('hicmd', seed=0), build('hicmd', seed=1)
    released = release(model, HICMD)
    released |= {
        key.replace('gen_a', 'gen_b'): value
        for key, value in released.items()
        if key.startswith(('gen_a.dec', 'gen_a.mlp'))
    }
    found = convert_by_layers(RELEASES['hicmd'], released, other.state_dict())
    assert found.sources['decoder'] == 'gen_a.dec'
    assert torch.equal(found.weights['decoder.to_image.bias'], model.decoder.to_image.bias)


def test_names_that_tell_nothing_are_asked_for(build):
    model, other = build('hicmd', seed=0), build('hicmd', seed=1)
    released = {
        key.replace('gen_a', 'net.x').replace('gen_b', 'net.y'): value
        for key, value in release(model, HICMD).items()
        if not key.startswith('dis_')
    }
    with pytest.raises(
        ValueError, match=r'2 networks \(net.x.enc_a, net.y.enc_a\) that look like vis'
    ):
        convert_by_layers(RELEASES['hicmd'], released, other.state_dict())
    named = {
        f'visible_{kind}_encoder': [f'net.y.enc_{kind[0]}'] for kind in ('attribute', 'prototype')
    }  # the wrong way round, as asked
    found = convert_by_layers(RELEASES['hicmd'], released, other.state_dict(), named)
    key = 'prototype_encoder.fuse.bias'
    assert torch.equal(found.weights[f'visible_{key}'], model.state_dict()[f'infrared_{key}'])
    with pytest.raises(ValueError, match=r'`named` has .*nobody.*, expected some of'):
        convert_by_layers(RELEASES['hicmd'], released, other.state_dict(), {'nobody': ['net']})
    with pytest.raises(ValueError, match='nothing that looks like feature_module.head'):
        wrong = named | {'feature_module.head': ['net.x']}
        convert_by_layers(RELEASES['hicmd'], released, other.state_dict(), wrong)


def test_a_network_in_several_places_can_be_named(build):
    model, other = build('hicmd', seed=0), build('hicmd', seed=1)
    released = {
        key.replace('id.backbone.model.layer3', 'id.end.layer3'): value
        for key, value in release(model, HICMD).items()
    }
    with pytest.raises(ValueError, match='nothing that looks like feature_module.trunk'):
        convert_by_layers(RELEASES['hicmd'], released, other.state_dict())
    named = {'feature_module.trunk': ['id.backbone', 'id.end']}
    found = convert_by_layers(RELEASES['hicmd'], released, other.state_dict(), named)
    assert found.sources['feature_module.trunk'] == 'id.backbone and id.end'
    for key, value in model.state_dict().items():
        if key.startswith('feature_module'):
            assert torch.equal(found.weights[key], value)


@pytest.mark.parametrize('method', ['hicmd', 'aligngan'])
def test_another_file_is_named(build, method):
    state = build(method, seed=0).state_dict()
    with pytest.raises(ValueError, match=r"has the keys \['fc.weight'\] .*, expected the "):
        convert_by_layers(RELEASES[method], {'fc.weight': torch.zeros(4, 3)}, state)


def test_what_optimisers_keep_is_no_weight():
    content = dict(
        a={'module.conv.weight': torch.ones(2)},
        optimizer=dict(state={0: dict(exp_avg=torch.ones(2))}, param_groups=[{}]),
        epoch=3,
    )
    assert [*flatten_weights(content)] == ['a.conv.weight']


class StripedRelease(nn.Module):
    """HCT's network as its release is described: stems and first stages apart, six stripes."""

    def __init__(self, num_ids):
        super().__init__()
        parts = dict(
            visible_module=('visible', ('conv1', 'bn1', 'layer1')),
            thermal_module=('thermal', ('conv1', 'bn1', 'layer1')),
            base_resnet=('base', ('layer2', 'layer3', 'layer4')),
        )
        for name, (part, layers) in parts.items():
            net = torchvision.models.resnet50(weights=None)
            net.layer4[0].conv2.stride = net.layer4[0].downsample[0].stride = (1, 1)
            holder = nn.Module()
            holder.add_module(part, nn.ModuleDict({key: getattr(net, key) for key in layers}))
            self.add_module(name, holder)
        reductions = [
            nn.Sequential(nn.Conv2d(2048, 256, 1), nn.BatchNorm2d(256), nn.ReLU()) for _ in range(6)
        ]
        self.local_conv_list = nn.ModuleList(reductions)
        self.fc_list = nn.ModuleList(nn.Linear(256, num_ids) for _ in range(6))

    def forward(self, image, modality):
        own = self.visible_module.visible if modality == 'visible' else self.thermal_module.thermal
        x = F.relu(own['bn1'](own['conv1'](image)))
        x = own['layer1'](F.max_pool2d(x, 3, 2, 1))
        for stage in self.base_resnet.base.values():
            x = stage(x)
        found = []
        for stripe, reduction in zip(x.chunk(6, dim=2), self.local_conv_list):
            pooled = (stripe.pow(3).mean((2, 3), keepdim=True) + 1e-12).pow(1 / 3)
            found.append(reduction(pooled).flatten(1))
        return F.normalize(torch.cat(found, dim=1))


@pytest.fixture(scope='module')
def state_of():
    """Names and shapes of the models of the releases' configs."""

    @cache
    def build(config, num_ids):
        cfg = Config.fromfile(CONFIGS / config)
        cfg.model.head.num_ids = num_ids
        with torch.device('meta'):
            return MODELS.build(cfg.model).state_dict()

    return lambda release, num_ids: build(release.config, num_ids)


def test_features_of_a_striped_network_are_those_of_the_release(state_of, monkeypatch):
    monkeypatch.setattr(torch.Tensor, 'float', lambda tensor: tensor)  # pooling insists on it
    torch.manual_seed(0)
    with torch.device('meta'):
        released = StripedRelease(num_ids=7).double().eval()
    released.to_empty(device='cpu')
    for name, value in released.state_dict().items():
        if name.endswith('running_var'):
            value.uniform_(0.5, 2)
        else:
            nn.init.constant_(value, 0) if value.dim() == 0 else value.normal_(0, 0.05)
    file = flatten_weights(dict(net=released.state_dict(), epoch=3))
    found = convert_strictly('hct', file, state_of, 'it')
    assert found.dropped == found.initial == []
    cfg = Config.fromfile(CONFIGS / RELEASES['hct'].config)
    cfg.model.head.num_ids = 7
    with torch.device('meta'):
        model = MODELS.build(cfg.model).eval()
    model.load_state_dict(found.weights, strict=True, assign=True)
    for modality in ('visible', 'infrared'):
        image = torch.randn(1, 3, 96, 32, dtype=torch.float64)
        with torch.no_grad():
            ours, theirs = model({modality: image}), released(image, modality)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)
        assert theirs.std() > 0.01


class TransformerRelease(nn.Module):
    """PMT's network as its release is described, narrow: patches of 16 pixels, 12 apart."""

    def __init__(self, num_ids, size=24, num_heads=3, grid=(5, 2)):
        super().__init__()
        self.num_heads = num_heads
        self.base = nn.Module()
        self.base.cls_token = nn.Parameter(torch.zeros(1, 1, size))
        self.base.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid[0] * grid[1], size))
        self.base.patch_embed = nn.ModuleDict(dict(proj=nn.Conv2d(3, size, 16, 12)))
        linear = dict(qkv=(size, 3 * size), proj=(size, size))
        inner = dict(fc1=(size, 4 * size), fc2=(4 * size, size))
        self.base.blocks = nn.ModuleList(
            nn.ModuleDict(dict(
                norm1=nn.LayerNorm(size), norm2=nn.LayerNorm(size),
                attn=nn.ModuleDict({key: nn.Linear(*sizes) for key, sizes in linear.items()}),
                mlp=nn.ModuleDict({key: nn.Linear(*sizes) for key, sizes in inner.items()}),
            ))
            for _ in range(2)
        )  # fmt: skip
        self.base.norm = nn.LayerNorm(size)
        self.bottleneck = nn.BatchNorm1d(size)
        self.classifier = nn.Linear(size, num_ids, bias=False)

    def forward(self, image):
        patches = self.base.patch_embed['proj'](image).flatten(2).transpose(1, 2)
        x = torch.cat([self.base.cls_token.expand(len(image), -1, -1), patches], dim=1)
        x = x + self.base.pos_embed
        for block in self.base.blocks:
            q, k, v = block['attn']['qkv'](block['norm1'](x)).chunk(3, dim=2)
            q, k, v = (part.unflatten(2, (self.num_heads, -1)) for part in (q, k, v))
            share = torch.einsum('nihd,njhd->nhij', q, k) / q.shape[3] ** 0.5
            answers = torch.einsum('nhij,njhd->nihd', share.softmax(3), v).flatten(2)
            x = x + block['attn']['proj'](answers)
            x = x + block['mlp']['fc2'](F.gelu(block['mlp']['fc1'](block['norm2'](x))))
        return F.normalize(self.bottleneck(self.base.norm(x)[:, 0]))


@pytest.mark.parametrize(('dtype', 'atol'), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
def test_features_of_a_transformer_are_those_of_the_release(dtype, atol, state_of, monkeypatch):
    if dtype == torch.float64:
        monkeypatch.setattr(torch.Tensor, 'float', lambda tensor: tensor)  # pooling insists on it
    torch.manual_seed(0)
    released = TransformerRelease(num_ids=7).to(dtype).eval()
    for name, value in released.state_dict().items():
        if name.endswith('running_var'):
            value.uniform_(0.5, 2)
        elif value.dim():
            value.normal_(0, 0.3)
    cfg = Config.fromfile(CONFIGS / RELEASES['pmt'].config)
    cfg.model.head.num_ids = 7
    narrow = dict(input_size=(64, 32), feature_size=24, num_blocks=2, num_heads=3)
    cfg.model.backbone.update(narrow)
    model = MODELS.build(cfg.model).to(dtype).eval()

    def narrow_state_of(release, num_ids):
        return model.state_dict() if release is RELEASES['pmt'] else state_of(release, num_ids)

    file = flatten_weights(released.state_dict())
    found = convert_strictly('pmt', file, narrow_state_of, 'it')
    assert found.dropped == found.initial == []
    model.load_state_dict(found.weights, strict=True)
    for modality in ('visible', 'infrared'):
        image = torch.randn(2, 3, 64, 32, dtype=dtype)
        with torch.no_grad():
            ours, theirs = model({modality: image}), released(image)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)
        assert theirs.std() > 0.01


def test_a_file_of_a_transformer_and_others_are_told_apart(state_of, files):
    with torch.device('meta'):
        whole = TransformerRelease(395, size=768, num_heads=12, grid=(21, 10))
        whole.base.blocks.extend(whole.base.blocks[1] for _ in range(10))
    file = whole.state_dict()
    found = convert_strictly('pmt', file, state_of, 'it')
    assert trainable(found.weights) == 86_114_304
    for method, other, message in (
        ('agw', file, 'expected an AGW checkpoint.* the release of pmt looks like'),
        ('pmt', files[0], 'expected a PMT checkpoint.* the release of agw and caj looks like'),
        ('pmt', {'fc.weight': torch.zeros(1)}, 'expected a PMT checkpoint of one transformer'),
    ):
        with pytest.raises(ValueError, match=message):
            convert_strictly(method, other, state_of, 'it')


@pytest.fixture(scope='module')
def files():
    """Names and shapes of files: AGW's three whole ResNets, and HCT's."""
    with torch.device('meta'):
        net = torchvision.models.resnet50(weights=None)
        del net.fc
        net = net.state_dict()
        prefixes = ('visible_module.visible', 'thermal_module.thermal', 'base_resnet.base')
        agw = {f'{prefix}.{key}': value for prefix in prefixes for key, value in net.items()}
        for layer, channels, number in ((2, 512, 2), (3, 1024, 3)):
            for index in range(number):
                own = nn.ModuleDict(dict(
                    g=nn.Sequential(nn.Conv2d(channels, 1, 1)),
                    theta=nn.Conv2d(channels, 1, 1),
                    phi=nn.Conv2d(channels, 1, 1),
                    W=nn.Sequential(nn.Conv2d(1, channels, 1), nn.BatchNorm2d(channels)),
                ))  # fmt: skip
                prefix = f'NL_{layer}.{index}'
                agw |= {f'{prefix}.{key}': value for key, value in own.state_dict().items()}
        agw |= {f'bottleneck.{k}': v for k, v in nn.BatchNorm1d(2048).state_dict().items()}
        agw['classifier.weight'] = torch.empty(395, 2048)
        return agw, StripedRelease(395).state_dict()


def trainable(weights):
    return sum(v.numel() for k, v in weights.items() if 'running' not in k and 'num_b' not in k)


def test_a_table_takes_all_that_is_used_and_counts_the_rest(state_of, files):
    agw, hct = files
    for method in ('agw', 'caj'):
        found = convert_strictly(method, agw, state_of, 'it')
        assert len(found.dropped) + len(found.weights) == len(agw)
        assert trainable(found.weights) == 24_359_311
    assert trainable(agw) == 71_365_839  # what the files of AGW and CAJ register
    lba = {key: value for key, value in agw.items() if 'NL_' not in key}
    found = convert_strictly('lba', lba, state_of, 'it')
    assert (trainable(lba), trainable(found.weights)) == (71_337_152, 24_330_624)
    found = convert_strictly('hct', hct, state_of, 'it')
    assert (trainable(found.weights), found.dropped) == (27_492_802, [])


def test_a_file_of_another_release_is_refused_with_its_name(state_of, files):
    agw, hct = files
    for method, file, message in (
        ('agw', hct, 'expected an AGW checkpoint.* the release of hct looks like'),
        ('hct', agw, 'expected an HCT checkpoint.* the release of agw and caj looks like'),
        ('agw', {k: v for k, v in agw.items() if 'NL_' not in k}, 'missing.* of lba looks like'),
        ('lba', agw, 'it has more than an LbA checkpoint.* release of agw and caj looks like'),
        ('agw', {'fc.weight': torch.zeros(1)}, r'classifier.weight`\.$'),
    ):
        with pytest.raises(ValueError, match=message):
            convert_strictly(method, file, state_of, 'it')


def test_what_is_missing_or_of_another_shape_is_named(state_of, files):
    agw, _ = files
    key = 'base_resnet.base.layer3.5.conv2.weight'
    for change, message in (
        ({key: None}, r'1 missing: backbone.trunk.layer3.5.conv2.weight'),
        (
            {key: torch.empty(2, 256, 3, 3, device='meta')},
            r'1 of another shape: .*\(2, 256, 3, 3\)',
        ),
    ):
        file = {k: v for k, v in (agw | change).items() if v is not None}
        with pytest.raises(ValueError, match=f'expected an AGW checkpoint.*file.t does.*{message}'):
            convert_strictly('agw', file, state_of, 'file.t')
    older = {key: value for key, value in agw.items() if not key.endswith('batches_tracked')}
    counters = convert_strictly('agw', older, state_of, 'it').weights
    assert counters.keys() == convert_strictly('agw', agw, state_of, 'it').weights.keys()


def test_more_than_a_release_has_is_told_where_another_release_has_it(state_of, files, monkeypatch):
    """One network in another: a file of the larger fits the smaller too."""
    agw, _ = files
    larger = replace(RELEASES['agw'], names=RELEASES['agw'].names | {r'extra\.': 'extra.'})

    def with_extra(release, num_ids):
        more = {'extra.weight': torch.ones(3)} if 'extra' in str(release.names) else {}
        return dict(state_of(release, num_ids)) | more

    monkeypatch.setitem(RELEASES, 'larger', larger)
    file = agw | {'extra.weight': torch.zeros(3)}
    assert convert_strictly('larger', file, with_extra, 'it').weights['extra.weight'].sum() == 0
    with pytest.raises(ValueError, match='it has more than an AGW .* release of larger looks like'):
        convert_strictly('agw', file, with_extra, 'it')
    convert_strictly('agw', agw, with_extra, 'it')  # which the larger one does not fit
    # what features do not need may be absent
    monkeypatch.setitem(RELEASES, 'larger', replace(larger, idle=r'extra\.'))
    found = convert_strictly('larger', agw, with_extra, 'it')
    assert found.initial == ['extra.weight']
    assert found.weights['extra.weight'].sum() == 3
