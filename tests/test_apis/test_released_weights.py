"""Round trips: our weights under other names, and in another order, come back as they were."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmvireid.apis.released_weights import convert_by_layers, flatten_weights
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
