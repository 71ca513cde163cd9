"""Composition, determinism and independence of the blocks of a batch."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from mmvireid.datasets.samplers import BlockBatchSampler, CrossModalityBatchSampler

FEATURE, PIXEL = dict(num_ids=3, num_instances=2), dict(num_ids=2, num_instances=3)
BLOCKS = dict(feature=FEATURE, pixel=PIXEL)


def state(rows, seed=0, epoch=0, rank=0, world_size=1):
    return SimpleNamespace(dataset=rows, seed=seed, epoch=epoch, rank=rank, world_size=world_size)


def build(rows, blocks=BLOCKS, batch_size=24, num_batches=20, **where):
    return BlockBatchSampler(state(rows, **where), batch_size, blocks, num_batches)


def labels_of(rows, items):
    return [rows[item.index]['gt_label'] for item in items]


def test_composition_of_every_batch(rows):
    for batch in build(rows):
        assert [item.block for item in batch] == ['feature'] * 12 + ['pixel'] * 12
        for block, num_instances in [(batch[:12], 2), (batch[12:], 3)]:
            modalities = [rows[item.index]['modality'] for item in block]
            assert modalities == ['visible'] * 6 + ['infrared'] * 6
            labels = labels_of(rows, block)
            assert labels[:6] == labels[6:]
            ids = labels[:6:num_instances]
            assert labels[:6] == np.repeat(ids, num_instances).tolist()
            assert len(set(ids)) == len(ids)
        assert len({item.index for item in batch[:12]}) == 12
        assert len({item.seed for item in batch}) == 24


def test_too_few_images_are_drawn_again_and_the_others_once(rows_of):
    rows = rows_of([3] * 4, [3, 3, 3, 1])
    for batch in build(rows):
        labels = labels_of(rows, batch[18:])
        num_different = len({item.index for item in batch[18:]})
        assert num_different == (4 if 3 in labels else 6)


def test_draws_are_a_function_of_seed_and_epoch(rows):
    first = list(build(rows, seed=3, epoch=2))
    sampler = build(rows, seed=3, epoch=0)
    list(sampler)  # an epoch in between changes nothing
    sampler.sampler.epoch = 2
    assert list(sampler) == first
    assert list(build(rows, seed=3, epoch=1)) != first
    assert list(build(rows, seed=2, epoch=2)) != first


def test_one_block_is_a_cross_modality_batch_sampler(rows):
    alone = CrossModalityBatchSampler(state(rows, epoch=4), 12, **FEATURE, num_batches=20)
    expected = [[item._replace(block='only') for item in batch] for batch in alone]
    assert list(build(rows, dict(only=FEATURE), 12, epoch=4)) == expected


def test_ranks_share_no_identity_within_a_block(rows):
    ranks = [list(build(rows, rank=rank, world_size=3)) for rank in range(3)]
    for parts in zip(*ranks):
        for block, num_ids in [(slice(0, 6), 9), (slice(12, 18), 6)]:
            drawn = [set(labels_of(rows, part[block])) for part in parts]
            assert len(set().union(*drawn)) == sum(map(len, drawn)) == num_ids


def test_blocks_do_not_depend_on_each_other(rows):
    # Equal blocks are where one stream in two copies, or a stream per block from one seed, shows.
    sampler = build(rows, dict(a=FEATURE, b=FEATURE), num_batches=5000)
    counts = np.zeros((10, 10))
    for batch in sampler:
        first, second = labels_of(rows, [batch[0], batch[12]])
        counts[first, second] += 1
    assert chi2_contingency(counts).pvalue > 1e-3


def test_names_and_length(rows):
    sampler = build(rows, num_batches=7)
    assert sampler.blocks == ('feature', 'pixel')
    assert len(sampler) == len(list(sampler)) == 7
    assert build(rows, dict(pixel=PIXEL, feature=FEATURE)).blocks == ('pixel', 'feature')


def test_replacement_is_an_option_of_a_block(rows_of):
    blocks = dict(FEATURE, num_instances=4), dict(FEATURE, num_instances=4, replace=True)
    rows = rows_of([4] * 3, [4] * 3)
    for batch in build(rows, dict(zip('ab', blocks)), 48):
        assert len({item.index for item in batch[:24]}) == 24
        assert len({item.index for item in batch[24:]}) < 24


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(batch_size=26), r'`batch_size` is 26.*: 12 \(feature\) \+ 12 \(pixel\) = 24\.'),
        (dict(blocks={}), '`blocks` is empty'),
        (dict(num_batches=0), '`num_batches` is 0, expected at least 1'),
        (dict(blocks=dict(a=dict(num_ids=2))), r"`blocks\['a'\]` has the keys \['num_ids'\]"),
        (dict(blocks=dict(a=dict(FEATURE, num_batches=3))), "'num_batches'.* expected num_ids"),
        (dict(blocks=dict(a=dict(FEATURE, num_ids=11)), batch_size=44), '`num_ids` is 11'),
        (dict(blocks=dict(a=FEATURE, b=dict(FEATURE, num_ids=0)), batch_size=12), 'at least 1'),
    ],
)
def test_blocks_that_make_no_batch(rows, options, message):
    with pytest.raises(ValueError, match=message):
        build(rows, **options)
