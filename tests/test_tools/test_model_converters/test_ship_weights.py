"""From the command that pre-trains to weights that other networks start from."""

import hashlib
from pathlib import Path

import pytest
import torch

from mmvireid.models.backbones.vgg16_features import VGG16Features, build_vgg16
from mmvireid.registry import MODELS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def ship(load_tool):
    return load_tool('model_converters/ship_weights.py').main


def weights(path):
    return torch.load(path, weights_only=True)


def test_two_iterations_are_shipped_and_loaded(shrink, load_tool, ship, tmp_path, capsys):
    cfg = shrink(str(ROOT / 'configs/pretrain/resnet18_rendered.py'))
    cfg.dump(tmp_path / 'tiny.py')
    load_tool('train.py').main([str(tmp_path / 'tiny.py')])
    checkpoint = f'{cfg.work_dir}/epoch_1.pth'
    ship([checkpoint, 'narrow', '--take', 'extractor.stages.', '--folder', str(tmp_path / 'new')])
    path = tmp_path / 'new/narrow.pth'
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest in capsys.readouterr().out
    assert (tmp_path / 'new/SHA256SUMS').read_text() == f'{digest}  narrow.pth\n'
    trained, shipped = weights(checkpoint)['state_dict'], weights(path)
    assert trained['extractor.stages.bn1.num_batches_tracked'] == 2
    for name, value in shipped.items():
        expected = trained[f'extractor.stages.{name}']
        torch.testing.assert_close(value.to(expected.dtype), expected, rtol=1e-3, atol=1e-7)
    init_cfg = dict(type='Pretrained', checkpoint=str(path))
    network = MODELS.build(dict(type='ResNetExtractor', depth=18, num_stages=1, init_cfg=init_cfg))
    network.init_weights()
    assert torch.equal(network.stages.conv1.weight, shipped['conv1.weight'].float())


def test_a_vgg_too_and_all_stand_in_one_list(ship, tmp_path):
    vgg = VGG16Features(base_channels=8)
    state = {f'extractor.{name}': value for name, value in vgg.state_dict().items()}
    torch.save(dict(state_dict=state), tmp_path / 'x.pth')
    for name in ('vgg', 'again'):
        options = ['--take', 'extractor.', '--add', 'features.', '--folder', str(tmp_path)]
        ship([str(tmp_path / 'x.pth'), name, *options])
    lines = (tmp_path / 'SHA256SUMS').read_text().splitlines()
    assert [line.split('  ')[1] for line in lines] == ['again.pth', 'vgg.pth']
    assert len({line.split()[0] for line in lines}) == 1  # the same weights, the same bytes
    loaded = build_vgg16(str(tmp_path / 'vgg.pth'), 'relu', 0, 'key', base_channels=8)
    torch.testing.assert_close(loaded.state_dict(), vgg.state_dict(), rtol=1e-3, atol=1e-7)


def test_what_cannot_be_shipped_is_refused(ship, tmp_path):
    path = tmp_path / 'x.pth'
    for weight, take, message in (
        (1.0, 'backbone.', "`--take` is 'backbone.'"),
        (1e6, 'layer.', 'half precision cannot hold'),
    ):
        torch.save({'layer.weight': torch.tensor([weight])}, path)
        with pytest.raises(SystemExit, match=message):
            ship([str(path), 'x', '--take', take, '--folder', str(tmp_path / 'new')])
    assert not (tmp_path / 'new').exists()
