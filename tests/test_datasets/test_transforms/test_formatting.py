"""What a model gets."""

import numpy as np
import torch

from mmvireid.datasets import PackReIDInputs


def test_packing():
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    fields = {'person_id': 6, 'gt_label': 0, 'camera_id': 3, 'modality': 'infrared'}
    meta = {'name': 'cam3/0006/0001.jpg', 'img_path': '/x/cam3/0006/0001.jpg', 'sample_idx': 2}
    meta['block'] = 'pixel'
    # a view, as a crop leaves it
    packed = PackReIDInputs()({'img': image[:, 1:4], **fields, **meta, 'flip': True})
    assert set(packed) == {'inputs', 'data_samples'}
    assert packed['inputs'].is_contiguous() and packed['inputs'].dtype == torch.uint8
    assert packed['inputs'].tolist() == [image[:, 1:4, c].tolist() for c in range(3)]
    sample = packed['data_samples']
    assert {key: sample.get(key) for key in sample.keys()} == fields  # noqa: SIM118
    assert {key: sample.get(key) for key in sample.metainfo_keys()} == meta


def test_an_image_without_annotations():
    packed = PackReIDInputs()({'img': np.zeros((2, 2, 3), np.uint8), 'modality': 'visible'})
    assert packed['data_samples'].keys() == ['modality']
