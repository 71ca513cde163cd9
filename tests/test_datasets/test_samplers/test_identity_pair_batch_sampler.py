"""A pass over the data, pair by pair."""

from collections import Counter
from itertools import pairwise
from types import SimpleNamespace

import pytest

from mmvireid.datasets import IdentityPairBatchSampler


def build(rows, num_ids=3, num_instances=2, seed=0, epoch=0, rank=0, world_size=1, **options):
    state = {'dataset': rows, 'seed': seed, 'epoch': epoch, 'rank': rank, 'world_size': world_size}
    return IdentityPairBatchSampler(
        SimpleNamespace(**state),
        batch_size=2 * num_ids * num_instances,
        num_ids=num_ids,
        num_instances=num_instances,
        **options,
    )


def labels_of(rows, batch):
    return [rows[item.index]['gt_label'] for item in batch]


def one_pass(rows, sampler):
    """The batches of an epoch up to the first that cannot be of the first pass."""
    used, batches = Counter(), []
    for batch in sampler:
        groups = Counter(set(labels_of(rows, batch)))
        fits = all(used[label] < sampler._count_groups(label) for label in groups)
        if not fits:
            return batches
        used += groups
        batches.append(batch)
    return batches


def test_composition_of_every_batch(rows):
    sampler = build(rows, num_batches=20)
    assert len(list(sampler)) == len(sampler) == 20
    for batch in sampler:
        drawn = [rows[item.index] for item in batch]
        assert [row['modality'] for row in drawn] == ['visible'] * 6 + ['infrared'] * 6
        labels = labels_of(rows, batch)
        assert labels[:6] == labels[6:]
        assert labels[0:6:2] == labels[1:6:2] and len(set(labels)) == 3
        assert len({item.seed for item in batch}) == 12


def test_a_pass_has_every_image_once_at_most_and_ends_when_few_identities_are_left(rows_of):
    rows = rows_of([9, 4, 5, 3, 8, 4], [7, 5, 4, 9, 6, 30])  # groups of two: 3 2 2 1 3 2
    batches = one_pass(rows, build(rows, num_batches=50))
    images = Counter(item.index for batch in batches for item in batch)
    assert max(images.values()) == 1
    groups = Counter(label for batch in batches for label in set(labels_of(rows, batch)))
    sizes = [3, 2, 2, 1, 3, 2]
    assert all(groups[label] <= size for label, size in enumerate(sizes))
    assert sum(groups[label] < size for label, size in enumerate(sizes)) < 3  # less than P


def test_identities_of_many_images_come_more_often(rows_of):
    rows = rows_of([2] * 9 + [40], [2] * 9 + [40])
    counts = Counter(
        label
        for batch in build(rows, num_ids=1, num_batches=290)  # ten passes of 29 groups
        for label in set(labels_of(rows, batch))
    )
    assert counts == Counter(dict.fromkeys(range(9), 10)) + Counter({9: 200})


def test_an_identity_of_few_images_has_one_group(rows_of):
    rows = rows_of([1, 1, 4], [3, 5, 4])
    for batch in one_pass(rows, build(rows, num_ids=2, num_instances=2, num_batches=9)):
        for label in set(labels_of(rows, batch)):
            drawn = [item.index for item in batch if rows[item.index]['gt_label'] == label]
            assert len(drawn) == 4
            assert len(set(drawn)) == (4 if label == 2 else 3)


def test_the_rest_of_an_epoch_is_what_it_would_have_been(rows):
    sampler = build(rows, num_batches=12, seed=3, epoch=5)
    whole = list(sampler)
    assert list(sampler) == whole
    assert all(first != second for first, second in pairwise(whole))
    for start in (1, 7, 12):
        sampler.start = start
        assert list(sampler) == whole[start:]
    sampler.start, sampler.sampler.epoch = 0, 6
    assert list(sampler) != whole


def test_ranks_share_no_identity_and_one_draw(rows):
    ranks = [
        list(build(rows, num_ids=2, rank=rank, world_size=3, num_batches=9)) for rank in range(3)
    ]
    for parts in zip(*ranks):
        labels = [set(labels_of(rows, part)) for part in parts]
        assert len(set().union(*labels)) == 6
    joint = list(build(rows, num_ids=6, num_batches=9))
    for whole, *parts in zip(joint, *ranks):
        images = [
            item for half in (0, 1) for part in parts for item in part[4 * half : 4 * half + 4]
        ]
        assert whole == images


def test_length_without_a_number_is_that_of_all_groups(rows_of):
    assert len(build(rows_of([4] * 10, [7] * 10))) == 20 // 3
    assert len(build(rows_of([4] * 10, [7] * 10), num_ids=2, world_size=2)) == 5


def test_released_lengths(rows_of):
    """RegDB: 206 identities x 10 images, 12 x (5 + 5) a batch: 34 batches."""
    sampler = build(rows_of([10] * 206, [10] * 206), 12, 5, num_batches=35)
    lengths = {len(one_pass(sampler.sampler.dataset, sampler))}
    for sampler.sampler.epoch in range(1, 6):
        lengths.add(len(one_pass(sampler.sampler.dataset, sampler)))
    assert lengths == {34}


@pytest.mark.parametrize(
    ('options', 'message'),
    [(dict(num_batches=0), 'num_batches'), (dict(num_ids=11), '`num_ids` is 11 on each')],
)
def test_what_cannot_be_is_refused(options, message, rows):
    with pytest.raises(ValueError, match=message):
        build(rows, **options)
