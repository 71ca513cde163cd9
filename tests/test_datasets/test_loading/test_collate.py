"""Batches."""

import pytest
import torch

from mmvireid.datasets import reid_collate
from mmvireid.structures import ReIDDataSample


def test_images_are_stacked_and_samples_listed():
    images = [torch.full((3, 2, 1), value, dtype=torch.uint8) for value in (4, 250)]
    samples = [ReIDDataSample(person_id=person) for person in (1, 2)]
    batch = reid_collate([{'inputs': i, 'data_samples': s} for i, s in zip(images, samples)])
    assert torch.equal(batch['inputs'], torch.stack(images))
    assert batch['inputs'].dtype == torch.uint8
    assert batch['data_samples'] == samples


def test_what_would_be_lost_is_named():
    items = [dict(inputs=torch.zeros(3, 2, 2), data_samples=None, second_view=1)] * 2
    with pytest.raises(ValueError, match=r"the pipeline gives \['second_view'\] too, expected"):
        reid_collate(items)
