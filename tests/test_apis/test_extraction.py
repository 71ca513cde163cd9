from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mmvireid.apis import (
    check_same_images,
    encode_test_images,
    extract_features,
    extract_test_features,
    init_model,
    load_split,
)
from mmvireid.registry import DATASETS

CONFIG = str(Path(__file__).parents[2] / 'configs/agw/agw_synthetic.py')


@pytest.fixture
def model(shrink):
    """Random weights, and batches that mix the modalities."""
    cfg = shrink(CONFIG)
    cfg.test_dataloader.batch_size = 7
    torch.manual_seed(0)
    return init_model(cfg)


def test_every_row_has_the_feature_of_its_image(model):
    found = extract_test_features(model)
    dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
    listed = [dataset.get_data_info(row) for row in range(len(dataset))]
    assert sorted(found.names) == [row['name'] for row in listed]
    by_name = {row['name']: row for row in listed}
    for row in range(0, len(found), 9):
        info, modality = by_name[found.names[row]], found.modalities[row]
        facts = found.person_ids[row], found.camera_ids[row], modality
        assert facts == (info['person_id'], info['camera_id'], info['modality'])
        expected = extract_features(model, [info['img_path']], modality)[0]
        feature = found.features[row]
        np.testing.assert_allclose(feature / np.linalg.norm(feature), expected, atol=1e-5)


def test_other_images_take_the_place_of_all(model):
    everything = extract_test_features(model)
    dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
    kept = [3, 8, len(dataset) - 1]
    dataset.get_subset_(kept)
    found = extract_test_features(model, dataset)
    names = [dataset.get_data_info(row)['name'] for row in range(3)]
    assert sorted(found.names) == sorted(names)
    rows = [everything.names.tolist().index(name) for name in found.names]
    np.testing.assert_allclose(found.features, everything.features[rows], atol=1e-5)


def test_one_pass_gives_all_codes(model):
    calls = []

    def encode(inputs):
        images = torch.cat(list(inputs.values()))
        calls.append(len(images))
        return dict(mean=images.mean((2, 3)), height=images[:, 0, :, 0])

    codes = encode_test_images(model, encode)
    assert sum(calls) == len(codes['mean']) == len(codes['height'])
    assert codes['mean'].features.shape[1] == 3
    assert codes['height'].features.shape[1] == 48
    np.testing.assert_array_equal(codes['mean'].names, codes['height'].names)


def test_other_images_are_refused(model):
    found = extract_test_features(model)
    order = np.random.default_rng(0).permutation(len(found))
    shuffled = replace(found, **{key: getattr(found, key)[order] for key in vars(found)
                                 if key not in ('flip_features', 'rooms')})  # fmt: skip
    check_same_images(found, shuffled, 'b.py')
    names = found.names.copy()
    names[3] = 'other.jpg'
    with pytest.raises(ValueError, match=r'check_same_images: b\.py tests on other images'):
        check_same_images(found, replace(found, names=names), 'b.py')


def test_images_of_other_people_than_those_left_out_are_refused(saved, tmp_path):
    config, checkpoint = saved('agw/agw_synthetic.py')
    weights = torch.load(checkpoint, weights_only=True)
    known = dict(dataset='synthetic_sysu', split='trainval', size='tiny', seed=1)
    torch.save(weights | dict(meta=dict(dataset_meta=known)), checkpoint)
    model = init_model(config, checkpoint)
    for use in (extract_test_features, lambda model: load_split(model.cfg, 'test')):
        with pytest.raises(ValueError, match='`test_dataloader.dataset` has `seed` 0, not 1'):
            use(model)
    assert len(load_split(model.cfg, 'train')) > 0
    model.cfg.test_dataloader.dataset.trained_elsewhere = True
    assert len(extract_test_features(model)) == len(load_split(model.cfg, 'test'))
