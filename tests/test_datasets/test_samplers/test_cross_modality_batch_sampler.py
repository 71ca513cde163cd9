"""Composition, determinism and length of cross-modality batches."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from mmvireid.datasets import CrossModalityBatchSampler
from mmvireid.datasets.samplers import cross_modality_batch_sampler


def build(rows, num_ids=3, num_instances=2, seed=0, epoch=0, rank=0, world_size=1, **options):
    state = {'dataset': rows, 'seed': seed, 'epoch': epoch, 'rank': rank, 'world_size': world_size}
    return CrossModalityBatchSampler(
        SimpleNamespace(**state),
        batch_size=2 * num_ids * num_instances,
        num_ids=num_ids,
        num_instances=num_instances,
        **options,
    )


def test_composition_of_every_batch(rows):
    for batch in build(rows):
        drawn = [rows[item.index] for item in batch]
        assert [row['modality'] for row in drawn] == ['visible'] * 6 + ['infrared'] * 6
        labels = [row['gt_label'] for row in drawn]
        assert labels[:6] == labels[6:]
        assert labels[0:6:2] == labels[1:6:2] and len(set(labels)) == 3
        assert len({item.index for item in batch}) == 12
        assert len({item.seed for item in batch}) == 12


def test_draws_are_a_function_of_seed_and_epoch(rows):
    first = list(build(rows, seed=3, epoch=2))
    sampler = build(rows, seed=3, epoch=0)
    list(sampler)  # an epoch in between changes nothing
    sampler.sampler.epoch = 2
    assert list(sampler) == first
    assert list(build(rows, seed=3, epoch=1)) != first
    assert list(build(rows, seed=2, epoch=2)) != first


def test_ranks_share_no_identity_and_one_draw(rows):
    ranks = [list(build(rows, num_ids=3, rank=rank, world_size=3)) for rank in range(3)]
    assert len({len(batches) for batches in ranks}) == 1
    for parts in zip(*ranks):
        labels = [{rows[item.index]['gt_label'] for item in part} for part in parts]
        assert len(set().union(*labels)) == 9
    joint = list(build(rows, num_ids=9))
    # One process draws the same in its first batch; its identities are the ranks' in turn.
    images = [[item for part in ranks for item in part[0][half : half + 6]] for half in (0, 6)]
    assert joint[0] == images[0] + images[1]


def test_identities_are_drawn_uniformly_whatever_their_size(rows_of):
    rows = rows_of([2] * 9 + [400], [2] * 10)
    counts = Counter(rows[item.index]['gt_label'] for batch in build(rows) for item in batch[:6])
    mean = sum(counts.values()) / 10
    # Batches take 3 of 10 labels, so a label's count has this standard deviation.
    deviation = 2 * np.sqrt(len(build(rows)) * 0.3 * 0.7)
    assert all(abs(counts[label] - mean) < 4 * deviation for label in range(10))


def test_images_are_drawn_with_replacement_where_there_are_too_few(rows_of):
    rows = rows_of([1, 5, 5], [5, 5, 5])
    for batch in build(rows, num_ids=3, num_instances=4):
        for half, modality in [(batch[:12], 'visible'), (batch[12:], 'infrared')]:
            images = Counter(item.index for item in half)
            times = Counter((rows[i]['gt_label'], number) for i, number in images.items())
            scarce = {(0, 4): 1} if modality == 'visible' else {(0, 1): 4}
            assert times == scarce | {(1, 1): 4, (2, 1): 4}


def test_scarce_identities_are_counted_once(rows_of, rows, monkeypatch):
    messages = []
    monkeypatch.setattr(
        cross_modality_batch_sampler, 'print_log', lambda text, **_: messages.append(text)
    )
    list(build(rows_of([1, 5, 5], [5, 2, 5]), num_ids=3, num_instances=4))
    build(rows, num_ids=3, num_instances=2)
    build(rows_of([1] * 3, [1] * 3), replace=True)
    assert len(messages) == 1
    assert messages[0].startswith('2 of 3 identities have fewer than 4 images of a modality')


def test_replacement_as_in_the_release(rows_of):
    rows = rows_of([4] * 3, [4] * 3)
    repeated = [
        len({item.index for item in batch}) < 24
        for epoch in range(20)
        for batch in build(rows, num_instances=4, replace=True, epoch=epoch)
    ]
    assert all(repeated)  # 24 draws of 4 from 4 without a repetition: 1e-24 or so


@pytest.mark.parametrize(
    ('visible', 'infrared', 'num_ids', 'world_size', 'length'),
    [
        (22258, 11909, 395, 1, 696),  # SYSU-MM01, as released AGW code has it
        (2060, 2060, 206, 1, 65),  # RegDB
        (2060, 2060, 206, 2, 33),
        (100, 320, 20, 1, 11),
    ],
)
def test_length(rows_of, visible, infrared, num_ids, world_size, length):
    counts = [np.bincount(np.arange(total) % num_ids).tolist() for total in (visible, infrared)]
    sampler = build(rows_of(*counts), num_ids=8, num_instances=4, world_size=world_size)
    assert len(sampler) == length


@pytest.mark.parametrize(
    ('visible', 'infrared', 'message'),
    [
        ([2, 2], [2, 2], '`num_ids` is 3 on each of 1 ranks, expected at most 2'),
        ([2, 2, 2], [2, 0, 2], r'1 identities have no infrared image \(labels \[1\]\)'),
        ([2, 2, 2], [], 'no infrared image'),
    ],
)
def test_data_that_makes_no_batch(rows_of, visible, infrared, message):
    with pytest.raises(ValueError, match=message):
        build(rows_of(visible, infrared))


def test_images_without_labels(rows_of):
    rows = rows_of([1], [1])
    rows[0]['gt_label'] = -1
    with pytest.raises(ValueError, match='expected a training split'):
        build(rows)


def test_batch_size_that_does_not_fit(rows):
    with pytest.raises(ValueError, match=r'`batch_size` is 13, expected .* = 12'):
        CrossModalityBatchSampler(
            SimpleNamespace(dataset=rows), batch_size=13, num_ids=3, num_instances=2
        )


@pytest.mark.parametrize('option', ['num_ids', 'num_instances'])
def test_no_identity_or_no_image(rows, option):
    with pytest.raises(ValueError, match=f'`{option}` is 0.* expected at least 1'):
        build(rows, **{option: 0})


def test_an_epoch_can_be_cut(rows):
    whole, cut = list(build(rows)), list(build(rows, num_batches=2))
    assert cut == whole[:2]
    assert len(build(rows, num_batches=2)) == 2
    with pytest.raises(ValueError, match='`num_batches` is 0'):
        build(rows, num_batches=0)
