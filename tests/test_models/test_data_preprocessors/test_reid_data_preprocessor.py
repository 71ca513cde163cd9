import numpy as np
import pytest
import torch
from torchvision.transforms import functional

from mmvireid.models.data_preprocessors import ReIDDataPreprocessor
from mmvireid.structures import ReIDDataSample


def mixed_batch(modalities):
    images = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (len(modalities), 3, 4, 2), np.uint8)
    )
    samples = [ReIDDataSample(modality=m, person_id=i) for i, m in enumerate(modalities)]
    return dict(inputs=images, data_samples=samples)


@pytest.mark.parametrize('channels_last', [False, True])
def test_equals_torchvision_on_rgb(channels_last):
    batch = mixed_batch(['visible', 'visible', 'infrared'])
    rgb = batch['inputs'].flip(1).float() / 255
    expected = functional.normalize(rgb, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    inputs = ReIDDataPreprocessor(channels_last=channels_last)(batch)['inputs']
    torch.testing.assert_close(torch.cat([inputs['visible'], inputs['infrared']]), expected)
    stride = inputs['visible'].stride()
    assert (stride[1] == 1) == channels_last


def test_a_mixed_batch_is_sorted_with_its_samples():
    batch = mixed_batch(['infrared', 'visible', 'infrared', 'visible'])
    images = ReIDDataPreprocessor().normalize(batch['inputs'])
    out = ReIDDataPreprocessor()(batch)
    assert [sample.person_id for sample in out['data_samples']] == [1, 3, 0, 2]
    torch.testing.assert_close(out['inputs']['visible'], images[[1, 3]])
    torch.testing.assert_close(out['inputs']['infrared'], images[[0, 2]])


def test_an_absent_modality_is_left_out():
    assert list(ReIDDataPreprocessor()(mixed_batch(['infrared']))['inputs']) == ['infrared']
