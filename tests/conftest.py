"""Fixtures that several test folders share."""

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope, init_default_scope

from mmvireid.structures import ReIDDataSample


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
