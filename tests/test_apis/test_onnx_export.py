import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmvireid.apis import ReIDInferencer, extract_features, onnx_export
from mmvireid.apis.onnx_export import PictureNetwork, export_onnx, open_network, write_network
from mmvireid.registry import MODELS

pytest.importorskip('onnx', reason='exporting needs the extra `deploy`')
pytest.importorskip('onnxruntime', reason='exporting needs the extra `deploy`')

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ('configs/*/*_synthetic.py', 'projects/*/configs/*_synthetic.py')
    for path in ROOT.glob(pattern)
)
SIZE = (48, 32)
#: What only a training has: no feature depends on it but by weights.
OF_TRAINING = ('loss_weights', 'num_ids', 'views', 'common', 'groups', 'decoder', 'mixture_prior')
#: Networks of the configs that were exported in this process.
EXPORTED = set()


@pytest.fixture
def build(tiny_model, shrink, monkeypatch):
    """A config's model made tiny, with BN statistics that are not the initial ones.

    ``build(path, EXPORTED)`` is ``None`` if its network is among those.
    """
    monkeypatch.syspath_prepend(str(ROOT))  # for the `custom_imports` of a project

    def make(config, known=()):
        cfg = Config.fromfile(ROOT / config, format_python_code=False)
        size = (64, 64) if 'input_size' in cfg.model else SIZE
        cfg.test_dataloader.dataset.pipeline[0].size = size
        tiny_model(cfg.model, narrow=True, num_ids=3, input_size=size)
        if cfg.model.get('backbone', {}).get('type') == 'TwoStreamResNet':
            cfg.model.backbone.num_stages = 3
            if cfg.model.backbone.get('split') == 'layer4':
                cfg.model.backbone.split = 'layer3'
        if (network := network_of(cfg.model.to_dict())) in known:
            return None
        torch.manual_seed(0)
        model = MODELS.build(cfg.model).eval()
        for module in model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
                torch.nn.init.uniform_(module.running_var, 0.5, 2)
        model.cfg, model.network = cfg, network
        return model

    return make


def network_of(model):
    """All of a model's config that decides what is computed for a feature."""

    def part_of(part):
        if not isinstance(part, dict):
            return part
        parts = {
            key: part_of(value)
            for key, value in part.items()
            if key not in OF_TRAINING and not key.endswith(('loss', 'discriminator'))
        }
        return {key: value for key, value in parts.items() if value != {}}

    return json.dumps(part_of(model), sort_keys=True, default=str)


@pytest.mark.parametrize('config', CONFIGS)
def test_the_networks_of_all_rendered_configs_leave_python(config, build, tmp_path):
    model = build(config, EXPORTED)
    if model is None:
        return  # another config has the same network
    EXPORTED.add(model.network)
    size = model.cfg.test_dataloader.dataset.pipeline[0].size
    pictures = np.random.default_rng(0).integers(0, 256, (3, *size, 3), dtype=np.uint8)
    for modality in ('visible', 'infrared'):
        network = PictureNetwork(model, modality, 'bgr').eval()
        write_network(network, tmp_path / 'network.onnx', pictures)
        session = open_network(tmp_path / 'network.onnx')
        expected = extract_features(model, list(pictures), modality)
        for count in (1, 3):
            (found,) = session.run(None, {'pictures': pictures[:count]})
            np.testing.assert_allclose(found, expected[:count], atol=1e-5)


@pytest.fixture
def inferencer(build):
    return ReIDInferencer(build('configs/agw/agw_synthetic.py'))


@pytest.mark.parametrize(('channels', 'grey'), [('bgr', False), ('rgb', True)])
def test_what_is_written_says_how_to_use_it(channels, grey, inferencer, tmp_path):
    inferencer.model.data_preprocessor.grey = grey
    description = export_onnx(inferencer, tmp_path, channels)
    assert {path.name for path in tmp_path.iterdir()} == {
        'visible.onnx', 'infrared.onnx', 'model.json'
    }  # fmt: skip
    assert description.pop('seconds') == {}
    assert json.loads((tmp_path / 'model.json').read_text()) == description
    for entry in description['files'].values():
        content = (tmp_path / entry['file']).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry['sha256']
    wanted = description['input']
    assert (wanted['height'], wanted['width'], wanted['channels']) == (*SIZE, channels)
    assert description['loading'] == dict(backend='cv2', interpolation='bilinear')
    assert description['source'] == inferencer.source
    assert max(description['largest_difference'].values()) < 1e-5
    bgr = np.random.default_rng(1).integers(0, 256, (2, *SIZE, 3), dtype=np.uint8)
    given = bgr if channels == 'bgr' else bgr[..., ::-1]
    (found,) = open_network(tmp_path / 'infrared.onnx').run(None, {'pictures': given})
    expected = extract_features(inferencer.model, list(bgr), 'infrared')
    assert expected.shape[1] == description['output']['size']
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_network_that_differs_is_not_left(inferencer, tmp_path, monkeypatch):
    (tmp_path / 'model.json').write_text('of before')
    monkeypatch.setattr(onnx_export, 'TOLERANCE', 0)
    with pytest.raises(RuntimeError, match='differ from PyTorch by up to .*expected at most 0'):
        export_onnx(inferencer, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['model.json']
    assert (tmp_path / 'model.json').read_text() == 'of before'


def test_what_cannot_be_exported_is_named(inferencer, tmp_path, build, monkeypatch):
    with pytest.raises(ValueError, match="`channels` is 'grey'"):
        export_onnx(inferencer, tmp_path, 'grey')
    visible_only = ReIDInferencer(build('configs/pretrain/resnet18_rendered.py'))
    with pytest.raises(TypeError, match='IdentityPretraining, has no features of infrared'):
        export_onnx(visible_only, tmp_path)
    monkeypatch.setitem(sys.modules, 'onnx', None)
    with pytest.raises(RuntimeError, match=r"extra 'deploy': pip install -e '\.\[deploy\]'"):
        export_onnx(inferencer, tmp_path)
    pipeline = inferencer.model.cfg.test_dataloader.dataset.pipeline
    pipeline.insert(1, dict(type='RandomFlip', prob=1.0))
    with pytest.raises(
        ValueError, match=r"has \['LoadReIDImage', 'RandomFlip', 'PackReIDInputs'\]"
    ):
        export_onnx(inferencer, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_time_is_measured_beside_pytorch(inferencer, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_export, '_BATCH_SIZES', (1, 2))
    seconds = export_onnx(inferencer, tmp_path, timed=True)['seconds']
    assert set(seconds) == {'visible', 'infrared'}
    for batches in seconds.values():
        assert set(batches) == {1, 2}
        assert all(set(times) == {'PyTorch', 'ONNX Runtime'} for times in batches.values())
        assert all(0 < time < 60 for times in batches.values() for time in times.values())
