import hashlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmvireid.apis import ReIDInferencer, extract_features, onnx_export
from mmvireid.apis.onnx_export import PictureNetwork, export_onnx, open_network, write_network
from mmvireid.engine.runner import drop_helpers
from mmvireid.registry import MODELS

pytest.importorskip('onnx', reason='exporting needs the extra `deploy`')
pytest.importorskip('onnxruntime', reason='exporting needs the extra `deploy`')

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(
    {
        path.parent
        for kind in ('configs/*', 'projects/*/configs')
        for path in ROOT.glob(f'{kind}/*_synthetic.py')
    }
)
SIZE = (64, 64)


@pytest.fixture
def build(tiny_model, monkeypatch):
    """A config's model made tiny, with BN statistics that are not the initial ones."""
    monkeypatch.syspath_prepend(str(ROOT))

    def make(path):
        cfg = Config.fromfile(path, format_python_code=False)
        drop_helpers(cfg)
        tiny_model(cfg.model, num_ids=3, input_size=SIZE)
        cfg.test_dataloader.dataset.pipeline[0].size = SIZE
        torch.manual_seed(0)
        model = MODELS.build(cfg.model).eval()
        for module in model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
                torch.nn.init.uniform_(module.running_var, 0.5, 2)
        model.cfg = cfg
        return model

    return make


def graph_of(network, pictures):
    """All that a network computes, as text: the same for networks that differ by weights only."""
    with torch.no_grad(), onnx_export._quiet():
        graph = torch.jit.trace(network, pictures, check_trace=False).inlined_graph
    return re.sub(r'___torch_mangle_\d+', '', str(graph))


@pytest.mark.parametrize('folder', FOLDERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_methods_of_all_rendered_configs_leave_python(folder, build, tmp_path):
    rng, exported = np.random.default_rng(0), set()
    pictures = rng.integers(0, 256, (3, *SIZE, 3), dtype=np.uint8)
    for path in sorted(folder.glob('*_synthetic.py')):
        model = build(path)
        for modality in ('visible', 'infrared'):
            network = PictureNetwork(model, modality, 'bgr').eval()
            graph = graph_of(network, torch.from_numpy(pictures))
            if graph in exported:
                continue
            exported.add(graph)
            write_network(network, tmp_path / 'network.onnx', pictures)
            session = open_network(tmp_path / 'network.onnx')
            expected = extract_features(model, list(pictures), modality)
            for count in (1, 3):
                (found,) = session.run(None, {'pictures': pictures[:count]})
                np.testing.assert_allclose(found, expected[:count], atol=1e-5, err_msg=path.name)
    assert exported


@pytest.fixture
def inferencer(build):
    return ReIDInferencer(build(ROOT / 'configs/agw/agw_synthetic.py'))


@pytest.mark.parametrize('channels', ['bgr', 'rgb'])
def test_what_is_written_says_how_to_use_it(channels, inferencer, tmp_path):
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
    visible_only = ReIDInferencer(build(ROOT / 'configs/pretrain/resnet18_rendered.py'))
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
