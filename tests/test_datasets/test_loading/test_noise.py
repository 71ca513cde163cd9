import torch

from mmvireid.datasets import noise_batch


def test_block_after_block_visible_first():
    batch = noise_batch((6, 4), dict(feature=(3, 2), pixel=(2, 1)))
    assert batch['inputs'].shape == (16, 3, 6, 4)
    assert batch['inputs'].dtype == torch.uint8
    found = [(s.block, s.modality, s.gt_label) for s in batch['data_samples']]
    assert found == [
        *[('feature', 'visible', y) for y in (0, 0, 1, 1, 2, 2)],
        *[('feature', 'infrared', y) for y in (0, 0, 1, 1, 2, 2)],
        *[('pixel', modality, y) for modality in ('visible', 'infrared') for y in (0, 1)],
    ]


def test_a_batch_without_blocks_names_none():
    samples = noise_batch((2, 2), {None: (2, 2)})['data_samples']
    assert len(samples) == 8
    assert not any('block' in sample for sample in samples)


def test_the_noise_comes_from_the_seed():
    first, second, other = (noise_batch((64, 64), {None: (2, 2)}, seed) for seed in (0, 0, 1))
    assert torch.equal(first['inputs'], second['inputs'])
    assert not torch.equal(first['inputs'], other['inputs'])
    # uniform over 0 ... 255: mean 127.5, variance (256^2 - 1) / 12
    values = first['inputs'].double()
    assert abs(values.mean() - 127.5) < 1
    assert abs(values.var() / ((256**2 - 1) / 12) - 1) < 0.02
