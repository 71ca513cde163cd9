"""Composition, determinism and length of batches of any images."""

from collections import Counter
from itertools import chain
from types import SimpleNamespace

import pytest

from mmvireid.datasets import UniformBatchSampler


def build(count=50, batch_size=8, seed=0, epoch=0, rank=0, world_size=1, **options):
    state = dict(dataset=range(count), seed=seed, epoch=epoch, rank=rank, world_size=world_size)
    return UniformBatchSampler(SimpleNamespace(**state), batch_size, **options)


def test_a_batch_has_different_images_and_an_epoch_what_fills_it():
    batches = list(build())
    assert len(batches) == len(build()) == 6
    for batch in batches:
        assert len({item.index for item in batch}) == 8
        assert len({item.seed for item in batch}) == 8
    assert len(list(build(num_batches=3))) == 3


def test_draws_are_a_function_of_seed_and_epoch():
    first = list(build(seed=3, epoch=2))
    assert list(build(seed=3, epoch=2)) == first
    assert list(build(seed=3, epoch=1)) != first
    assert list(build(seed=2, epoch=2)) != first


def test_an_epoch_that_begins_late_is_the_end_of_a_whole_one():
    sampler = build()
    whole = list(sampler)
    sampler.start = 4
    assert list(sampler) == whole[4:]


def test_ranks_divide_one_draw():
    alone = list(build(batch_size=24))
    ranks = [list(build(batch_size=8, rank=rank, world_size=3)) for rank in range(3)]
    assert [[*chain(*parts)] for parts in zip(*ranks)] == alone


def test_every_image_is_as_likely():
    counts = Counter(item.index for batch in build(num_batches=2000) for item in batch)
    assert set(counts) == {*range(50)}
    # expected 320 of each, standard deviation 16.4
    assert all(abs(count - 320) < 85 for count in counts.values())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(batch_size=0), '`batch_size` is 0, expected 1 to 50'),
        (dict(batch_size=26, world_size=2), '`batch_size` is 26, expected 1 to 25'),
        (dict(num_batches=0), '`num_batches` is 0'),
    ],
)
def test_what_cannot_be_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
