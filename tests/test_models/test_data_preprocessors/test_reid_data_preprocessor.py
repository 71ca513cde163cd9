import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional

from mmvireid.models.data_preprocessors import ReIDDataPreprocessor
from mmvireid.structures import ReIDDataSample


def mixed_batch(modalities, blocks=None):
    images = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (len(modalities), 3, 4, 2), np.uint8)
    )
    samples = [ReIDDataSample(modality=m, person_id=i) for i, m in enumerate(modalities)]
    for sample, block in zip(samples, blocks or []):
        sample.set_metainfo(dict(block=block))
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


@pytest.mark.parametrize('training', [True, False])
def test_grey_is_pillows_in_training_and_test(training):
    batch = mixed_batch(['visible', 'visible', 'infrared'])
    batch['inputs'][2] = batch['inputs'][2, :1]  # infrared: three equal channels
    preprocessor = ReIDDataPreprocessor(mean=[0, 0, 0], std=[1, 1, 1], grey=True)
    inputs = preprocessor(batch, training)['inputs']
    for image, found in zip(batch['inputs'], torch.cat(list(inputs.values()))):
        rgb = Image.fromarray(image.flip(0).permute(1, 2, 0).numpy())
        expected = torch.from_numpy(np.array(rgb.convert('L'))).float()
        torch.testing.assert_close(found, expected.expand(3, -1, -1), atol=0.51, rtol=0)
    torch.testing.assert_close(inputs['infrared'][0], batch['inputs'][2].float())


def test_a_mixed_batch_is_sorted_with_its_samples():
    batch = mixed_batch(['infrared', 'visible', 'infrared', 'visible'])
    images = ReIDDataPreprocessor().normalize(batch['inputs'])
    out = ReIDDataPreprocessor()(batch)
    assert [sample.person_id for sample in out['data_samples']] == [1, 3, 0, 2]
    torch.testing.assert_close(out['inputs']['visible'], images[[1, 3]])
    torch.testing.assert_close(out['inputs']['infrared'], images[[0, 2]])


def test_an_absent_modality_is_left_out():
    assert list(ReIDDataPreprocessor()(mixed_batch(['infrared']))['inputs']) == ['infrared']


BLOCKS = ['feature'] * 6 + ['pixel'] * 2
MODALITIES = ['visible'] * 3 + ['infrared'] * 3 + ['visible', 'infrared']


def test_blocks_are_handed_over_apart():
    batch = mixed_batch(MODALITIES, BLOCKS)
    images = ReIDDataPreprocessor().normalize(batch['inputs'])
    out = ReIDDataPreprocessor()(batch)
    assert list(out['inputs']) == list(out['data_samples']) == ['feature', 'pixel']
    expected = dict(
        feature=dict(visible=images[:3], infrared=images[3:6]),
        pixel=dict(visible=images[6:7], infrared=images[7:]),
    )
    torch.testing.assert_close(out['inputs'], expected, rtol=0, atol=0)
    ids = {name: [s.person_id for s in part] for name, part in out['data_samples'].items()}
    assert ids == dict(feature=[0, 1, 2, 3, 4, 5], pixel=[6, 7])


def test_ordered_blocks_are_views_of_one_tensor():
    inputs = ReIDDataPreprocessor()(mixed_batch(MODALITIES, BLOCKS))['inputs']
    parts = [part for block in inputs.values() for part in block.values()]
    assert len(parts) == 4
    assert len({part.untyped_storage().data_ptr() for part in parts}) == 1


def test_a_shuffled_batch_of_blocks_keeps_images_and_samples_together():
    order = [6, 0, 3, 7, 4, 1, 5, 2]
    batch = mixed_batch([MODALITIES[i] for i in order], [BLOCKS[i] for i in order])
    images = ReIDDataPreprocessor().normalize(batch['inputs'])
    out = ReIDDataPreprocessor()(batch)
    assert list(out['inputs']) == ['pixel', 'feature']
    for block, parts in out['inputs'].items():
        samples = out['data_samples'][block]
        torch.testing.assert_close(
            torch.cat([parts['visible'], parts['infrared']]), images[[s.person_id for s in samples]]
        )
        assert {s.block for s in samples} == {block}
        present = [s.modality for s in samples]
        assert present == ['visible'] * len(parts['visible']) + ['infrared'] * len(
            parts['infrared']
        )


@pytest.mark.parametrize('options', [{}, dict(mean=[127.5] * 3, std=[127.5] * 3)])
def test_denormalising_gives_every_value_back(options):
    values = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    images = torch.cat([values, values.flip(2), values.flip(3)], dim=1)
    preprocessor = ReIDDataPreprocessor(**options)
    back = preprocessor.denormalize(preprocessor.normalize(images))
    assert back.dtype == torch.uint8 and torch.equal(back, images)


def test_denormalising_rounds_clamps_and_swaps_channels():
    preprocessor = ReIDDataPreprocessor(mean=(100, 0, 0), std=(10, 1, 1))
    red, green, blue = [-20.0, 20.0, 1.06], [-3.0, 7.4, 7.6], [300.0, 255.4, 0.0]
    images = torch.tensor([[red], [green], [blue]]).unsqueeze(0)  # shape (1, 3, 1, 3)
    expected = [[[255, 255, 0]], [[0, 7, 8]], [[0, 255, 111]]]
    assert preprocessor.denormalize(images)[0].tolist() == expected


def test_pictures_are_what_came_in():
    preprocessor = ReIDDataPreprocessor()
    pictures = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    images = torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())
    found = preprocessor.to_pictures(preprocessor.normalize(images))
    assert len(found) == 3
    for ours, theirs in zip(found, pictures):
        assert ours.dtype == np.uint8
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    ('inputs', 'message'),
    [
        (
            [torch.zeros(3, 2, 2, dtype=torch.uint8)],
            'is a list, expected one tensor: set `coll',
        ),
        (torch.zeros(1, 3, 2, 2), 'are torch.float32, expected torch.uint8'),
    ],
)
def test_other_images_than_the_pipelines_are_refused(inputs, message):
    sample = ReIDDataSample(modality='visible')
    with pytest.raises(TypeError, match=message):
        ReIDDataPreprocessor()(dict(inputs=inputs, data_samples=[sample]))
