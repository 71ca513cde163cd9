from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from PIL import Image

from mmvireid.apis import extract_features, init_model
from mmvireid.evaluation import FeatureSet

CONFIG = str(Path(__file__).parents[2] / 'configs/agw/agw_synthetic.py')


@pytest.fixture
def trained(shrink, tmp_path):
    """A config and a checkpoint of it, with BN statistics that are not the initial ones."""
    cfg = shrink(CONFIG)
    model = init_model(cfg)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    file = str(tmp_path / 'model.pth')
    torch.save(dict(state_dict=model.state_dict(), meta={}), file)
    return cfg, file


def test_features_are_those_of_evaluation(trained, tmp_path):
    cfg, checkpoint = trained
    cfg.load_from = checkpoint
    cfg.test_evaluator.save_features = str(tmp_path / 'features.npz')
    Runner.from_cfg(cfg).test()
    evaluated = FeatureSet.load(tmp_path / 'features.npz')

    model = init_model(cfg, checkpoint)
    root = Path(cfg.test_dataloader.dataset.data_root)
    for modality in ('visible', 'infrared'):
        rows = np.flatnonzero(evaluated.modalities == modality)[:10]
        paths = [str(root / name) for name in evaluated.names[rows]]
        ours = extract_features(model, paths, modality, batch_size=3)
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, evaluated.features[rows], atol=1e-5)
        arrays = [cv2.imread(path) for path in paths]
        np.testing.assert_array_equal(extract_features(model, arrays, modality, 3), ours)


def test_the_modality_matters(trained):
    model = init_model(*trained)
    image = [np.full((60, 30, 3), 99, np.uint8)]
    features = [extract_features(model, image, m) for m in ('visible', 'infrared')]
    assert np.abs(features[0] - features[1]).max() > 1e-3


def test_arrays_of_every_kind_mean_what_files_mean(trained, tmp_path):
    model = init_model(*trained)
    grey = np.random.default_rng(0).integers(0, 256, (60, 30), dtype=np.uint8)
    color = np.repeat(grey[..., None], 3, axis=2)
    expected = extract_features(model, [color], 'infrared')
    deep = grey.astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / 'deep.png')
    kinds = [grey, grey[..., None], deep, np.dstack([color, grey]), tmp_path / 'deep.png']
    for image in kinds:
        np.testing.assert_array_equal(extract_features(model, [image], 'infrared'), expected)


def test_options_reach_the_config(trained):
    model = init_model(trained[0], cfg_options={'model.head.num_ids': 11})
    with pytest.raises(KeyError, match='near: `model.head.num_ids`'):
        init_model(trained[0], cfg_options={'model.hed.num_ids': 11})
    assert model.head.num_ids == 11
    assert not model.training


def test_bad_input_is_named(trained, tmp_path):
    model = init_model(*trained)
    grey = np.zeros((4, 4), np.uint8)
    cases = [
        (([grey], 'thermal'), "`modality` is 'thermal'"),
        (([], 'visible'), '`images` is empty'),
        (([grey.astype(np.float32)], 'visible'), r'`images\[0\]` is a? ?float32 array'),
        (([3], 'visible'), r'`images\[0\]` is a int'),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=message):
            extract_features(model, *arguments)
    empty = tmp_path / 'empty.jpg'
    empty.touch()
    with pytest.raises(ValueError, match=r'empty\.jpg'):
        extract_features(model, [empty], 'visible')
    with pytest.raises(TypeError, match='`config` is a int'):
        init_model(3)
    with pytest.raises(FileNotFoundError, match=r"`config` is 'none\.py', no such file"):
        init_model('none.py')
    with pytest.raises(ValueError, match='does not fit'):
        init_model(trained[0], trained[1], cfg_options={'model.head.num_ids': 3})
