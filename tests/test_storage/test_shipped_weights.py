"""Weights that come with the package: whole, found by name, and refused otherwise."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmvireid.models.backbones.resnet_part import ResNetPart
from mmvireid.models.backbones.vgg16_features import build_vgg16
from mmvireid.registry import MODELS
from mmvireid.storage import load_checkpoint, shipped_weights
from mmvireid.storage.shipped_weights import FOLDER, read_sums

ROOT = Path(__file__).parents[2]
#: There are none of a transformer: these start from random weights.
TRANSFORMERS = ('configs/pmt/pmt_synthetic.py', 'configs/pmt/pmt-baseline_synthetic.py')
RESNET, VGG = 'mmvireid://resnet18_rendered', 'mmvireid://vgg16_rendered'


def rendered_configs():
    paths = sorted(path for path in ROOT.glob('configs/*/*_synthetic*.py'))
    return [path.relative_to(ROOT).as_posix() for path in paths]


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The folder of shipped weights, as another installation has it."""
    for path in FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(shipped_weights, 'FOLDER', tmp_path)
    return tmp_path


def test_they_are_small_plain_and_listed():
    files = sorted(FOLDER.glob('*.pth'))
    assert [path.name for path in files] == sorted(read_sums())
    assert sum(path.stat().st_size for path in files) < 12e6
    for path in files:
        weights = torch.load(path, weights_only=True)
        kinds = {value.dtype for value in weights.values()}
        assert torch.float16 in kinds and kinds <= {torch.float16, torch.int64}
        assert all(torch.isfinite(value).all() for value in weights.values())


def test_a_list_of_checksums_that_is_none_is_refused(copied):
    with (copied / 'SHA256SUMS').open('a') as file:
        file.write('5b14a8dc\n')
    with pytest.raises(ValueError, match=r"line 3 of .*SHA256SUMS is '5b14a8dc', expected a check"):
        read_sums(copied)


def test_the_readme_has_their_checksums():
    readme = (ROOT / 'configs/pretrain/README.md').read_text()
    for name, digest in read_sums().items():
        assert f'{digest}  {name}' in readme


@pytest.mark.parametrize('config', rendered_configs())
def test_every_rendered_config_starts_from_them(config):
    """Every part that the paper-sized configs start from ImageNet, value by value."""
    shipped = torch.load(FOLDER / 'resnet18_rendered.pth', weights_only=True)
    model = MODELS.build(Config.fromfile(ROOT / config).model)
    for network in model.modules():
        if getattr(network, 'init_cfg', None):
            network.init_weights()
    parts = [module for module in model.modules() if isinstance(module, ResNetPart)]
    assert bool(parts) == (config not in TRANSFORMERS)
    for part in parts:
        for name, value in part.state_dict().items():
            if '.non_local_' not in name:
                assert torch.equal(value, shipped[name].to(value.dtype)), name


def test_they_have_been_trained():
    """A unit of a trained network differs from its neighbours; BatchNorm has seen images."""
    shipped = torch.load(FOLDER / 'resnet18_rendered.pth', weights_only=True)
    assert shipped['bn1.num_batches_tracked'] > 1000
    assert shipped['layer3.1.bn2.weight'].float().std() > 0.01


def test_vgg_takes_them_at_their_width():
    vgg = build_vgg16(VGG, 'relu', 0, 'key', base_channels=16)
    assert [tuple(x.shape[1:]) for x in vgg(torch.rand(1, 3, 16, 8))][-1] == (128, 2, 1)
    with pytest.raises(ValueError, match=r'vgg16_rendered does not fit .* of another shape'):
        build_vgg16(VGG, 'relu', 0, 'key')


@pytest.mark.parametrize(
    ('part', 'message'),
    [
        (dict(type='ResNetExtractor', depth=50), 'missing: '),
        (dict(type='ResNetExtractor', depth=18, num_stages=4), r'missing: layer4\.0\.bn1'),
    ],
)
def test_another_architecture_is_refused(part, message):
    network = MODELS.build(part | dict(init_cfg=dict(type='Pretrained', checkpoint=RESNET)))
    with pytest.raises(ValueError, match=f'{RESNET} does not fit .*{message}') as error:
        network.init_weights()
    assert '\n' not in str(error.value)


def test_an_unknown_name_gets_the_known_ones():
    with pytest.raises(ValueError, match=f"expected one of '{RESNET}', '{VGG}'"):
        load_checkpoint('mmvireid://resnet50')


def test_a_missing_file_is_named(copied):
    (copied / 'resnet18_rendered.pth').unlink()
    with pytest.raises(FileNotFoundError, match=r'resnet18_rendered\.pth .* is missing\. Install'):
        load_checkpoint(RESNET)


@pytest.mark.parametrize('damage', ['a byte', 'the end'])
def test_a_damaged_file_is_refused(copied, damage):
    path = copied / 'resnet18_rendered.pth'
    data = bytearray(path.read_bytes())
    if damage == 'a byte':
        data[len(data) // 2] ^= 1
    else:
        del data[-1000:]
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r'is damaged: its SHA-256 is [0-9a-f]{64}, expected'):
        load_checkpoint(RESNET)
