"""Fixtures that several test folders share."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope, init_default_scope

from mmvireid.datasets.rendering import ensure_rendered
from mmvireid.registry import DATASETS
from mmvireid.structures import ReIDDataSample

TOOLS = Path(__file__).parents[1] / 'tools'


@pytest.fixture(autouse=True, scope='session')
def one_thread():
    """Tiny networks run fastest on one thread."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def default_scope():
    """Every test looks names up in this package's registries."""
    init_default_scope('mmvireid')
    yield
    DefaultScope._instance_dict.clear()


@pytest.fixture(autouse=True)
def no_environment_report(monkeypatch):
    """A Runner asks compilers for their versions when it starts, which takes seconds."""
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)


@pytest.fixture
def golden_batch():
    """The embeddings of the golden loss values: ``golden_batch(scale)`` -> (64, 16), labels."""

    def build(scale: float) -> tuple[torch.Tensor, torch.Tensor]:
        labels = np.tile(np.repeat(np.arange(8), 4), 2)
        i, j = np.arange(64)[:, None], np.arange(16)[None]
        x = np.sin(0.7 * i + 1.3 * j + 0.1 * i * j) + 0.8 * np.cos(2.1 * labels[:, None] + 0.9 * j)
        return torch.from_numpy(scale * x), torch.from_numpy(labels)

    return build


@pytest.fixture
def training_batch():
    """A collated batch: ``training_batch(num_ids, num_instances)``, visible first."""

    def build(num_ids: int = 3, num_instances: int = 2, size: tuple = (32, 16)) -> dict:
        labels = np.repeat(np.arange(num_ids), num_instances)
        samples = [
            ReIDDataSample(gt_label=int(y), person_id=int(y) + 1, camera_id=1, modality=modality)
            for modality in ('visible', 'infrared')
            for y in labels
        ]
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(0, 256, (len(samples), 3, *size), generator=generator)
        return dict(inputs=images.to(torch.uint8), data_samples=samples)

    return build


LAYOUTS = dict(SYSUMM01='sysu', SyntheticSYSU='sysu', RegDB='regdb', LLCM='llcm')


@pytest.fixture(scope='session')
def rendered(tmp_path_factory):
    """Root of a tiny rendered data set: ``rendered('regdb')``; each is rendered once."""
    folder = tmp_path_factory.mktemp('rendered')

    def build(layout: str) -> str:
        root = folder / layout
        ensure_rendered(root, size='tiny', layout=layout, workers=1)
        return str(root)

    return build


@pytest.fixture
def shrink(rendered, tmp_path):
    """``shrink(config_file)``: the same config with a tiny network, tiny images, tiny data.

    One epoch of two iterations remains of the schedule; everything else stays as it is.
    """

    def build(config: str) -> Config:
        cfg = Config.fromfile(config)
        root = rendered(LAYOUTS[cfg.train_dataloader.dataset.type])
        cfg.model.backbone.update(depth=18, num_stages=3, init_cfg=None)
        cfg.model.backbone.non_local = dict.fromkeys(cfg.model.backbone.non_local, 1)
        for name in ('train', 'val', 'test'):
            loader = cfg.get(f'{name}_dataloader')
            if loader is None:
                continue
            loader.update(num_workers=0, persistent_workers=False)
            loader.dataset.data_root = root
            loader.dataset.pipeline[0]['size'] = (48, 24)
            if loader.dataset.type == 'SyntheticSYSU':
                loader.dataset.size = 'tiny'
            if loader.dataset.get('num_heldout_ids'):
                loader.dataset.num_heldout_ids = 2
        cfg.train_dataloader.batch_size = 24
        cfg.train_dataloader.batch_sampler.update(num_ids=4, num_instances=3, num_batches=2)
        train_set = DATASETS.build(cfg.train_dataloader.dataset)
        cfg.model.head.num_ids = train_set.metainfo['num_ids']
        cfg.train_cfg.update(max_epochs=1, val_interval=1)
        cfg.default_hooks.checkpoint.interval = 1
        cfg.work_dir = str(tmp_path / 'work_dir')
        cfg.experiment_name = tmp_path.name
        cfg.log_level = 'ERROR'
        return cfg

    return build


@pytest.fixture(scope='session')
def load_tool():
    """``load_tool('analysis_tools/eval_features.py')`` -> the module."""

    def load(name: str):
        path = TOOLS / name
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
