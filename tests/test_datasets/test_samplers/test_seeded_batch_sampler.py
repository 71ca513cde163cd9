from types import SimpleNamespace

import pytest

from mmvireid.datasets.samplers import BlockBatchSampler, CrossModalityBatchSampler


@pytest.fixture(params=['one', 'blocks'])
def sampler(request, rows):
    order = SimpleNamespace(dataset=rows, seed=3, epoch=5, rank=0, world_size=1)
    if request.param == 'one':
        return CrossModalityBatchSampler(order, 12, num_ids=3, num_instances=2, num_batches=6)
    blocks = dict(a=dict(num_ids=3, num_instances=1), b=dict(num_ids=2, num_instances=2))
    return BlockBatchSampler(order, 14, blocks, num_batches=6)


def test_an_epoch_is_a_function_of_seed_and_epoch(sampler):
    first = list(sampler)
    assert len(first) == len(sampler) == 6
    assert list(sampler) == first
    sampler.sampler.epoch = 6
    assert list(sampler) != first


@pytest.mark.parametrize('start', [1, 5, 6])
def test_the_rest_of_an_epoch_is_what_it_would_have_been(start, sampler):
    whole = list(sampler)
    sampler.start = start
    rest = iter(sampler)
    sampler.start = 0  # counts for iterations that begin after it is set
    assert list(rest) == whole[start:]
    assert list(sampler) == whole
    assert len(sampler) == 6
