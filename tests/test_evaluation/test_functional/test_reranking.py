import numpy as np
import pytest
import torch

from mmvireid.evaluation.functional import (
    RERANKINGS,
    affinity_distance,
    k_reciprocal_distance,
    name_reranking,
)
from mmvireid.evaluation.functional import reranking as module


def slow_reranking(features, num_queries, k1, k2, weight):
    """The published procedure with Python sets and loops, in float64."""
    size = len(features)
    distance = ((features[:, None] - features[None]) ** 2).sum(-1)
    distance = distance / distance.max(axis=1, keepdims=True)
    ranked = [sorted(range(size), key=lambda j, i=i: (distance[i, j], j)) for i in range(size)]

    def mutual(i, k):
        return {j for j in ranked[i][: k + 1] if i in ranked[j][: k + 1]}

    codes = np.zeros((size, size))
    for i in range(size):
        base = mutual(i, k1)
        members = set(base)
        for candidate in base:
            half = mutual(candidate, round(k1 / 2))
            if len(half & base) > 2 / 3 * len(half):
                members |= half
        for j in members:
            codes[i, j] = np.exp(-distance[i, j])
        codes[i] /= codes[i].sum()
    if k2 > 1:
        codes = np.stack([np.mean([codes[j] for j in ranked[i][:k2]], axis=0) for i in range(size)])
    result = np.empty((num_queries, size - num_queries))
    for i in range(num_queries):
        for j in range(num_queries, size):
            smaller, larger = np.minimum(codes[i], codes[j]), np.maximum(codes[i], codes[j])
            jaccard = 1 - smaller.sum() / larger.sum()
            result[i, j - num_queries] = weight * distance[i, j] + (1 - weight) * jaccard
    return result


@pytest.mark.parametrize(
    ('k1', 'k2', 'weight'), [(20, 6, 0.3), (7, 1, 0.3), (4, 3, 0.0), (5, 2, 1.0), (200, 6, 0.5)]
)
def test_equals_the_published_loops(k1, k2, weight):
    rng = np.random.default_rng(k1)
    ids = rng.integers(0, 8, 70)
    features = (rng.standard_normal((8, 5))[ids] + 0.6 * rng.standard_normal((70, 5))).astype('f')
    expected = slow_reranking(features.astype(float), 25, k1, k2, weight)
    tensor = torch.from_numpy(features)
    distance = k_reciprocal_distance(tensor[:25], tensor[25:], k1, k2, weight)
    assert distance.dtype == np.float32
    np.testing.assert_allclose(distance, expected, atol=2e-5)


def test_identical_images_are_at_distance_zero():
    features = torch.eye(4).repeat_interleave(6, dim=0)
    distance = k_reciprocal_distance(features[::2], features[1::2], k1=5, k2=2)
    same = np.equal.outer(np.repeat(range(4), 3), np.repeat(range(4), 3))
    np.testing.assert_allclose(distance[same], 0, atol=1e-6)
    assert distance[~same].min() > 0.9


def test_fewer_images_than_neighbours():
    distance = k_reciprocal_distance(torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 0.0]]))
    assert np.isfinite(distance).all()


def slow_affinities(queries, gallery, k1, k2):
    """AIM's steps for one image after the other, with dictionaries, in float64."""
    queries = [row / np.linalg.norm(row) for row in queries.astype(float)]
    gallery = [row / np.linalg.norm(row) for row in gallery.astype(float)]

    def strongest(row, k):
        affinity = {j: float(row @ other) for j, other in enumerate(gallery)}
        return {j: affinity[j] for j in sorted(affinity, key=lambda j: (-affinity[j], j))[:k]}

    own = []
    for row in gallery:
        total = np.zeros(len(gallery))
        for neighbour in strongest(row, k2):
            for j, affinity in strongest(gallery[neighbour], k1).items():
                total[j] += affinity / k2
        own.append(total / np.linalg.norm(total))
    result = np.empty((len(queries), len(gallery)))
    for i, query in enumerate(queries):
        for j, row in enumerate(gallery):
            shared = sum(own[j][k] * affinity for k, affinity in strongest(query, k1).items())
            result[i, j] = -(query @ row) - shared
    return result


@pytest.mark.parametrize(('k1', 'k2'), [(4, 1), (20, 6), (2, 2), (1, 1), (3, 7), (200, 90)])
def test_affinities_equal_a_slow_loop(k1, k2, monkeypatch):
    monkeypatch.setattr(module, 'BLOCK', 16)  # several blocks of queries and of the gallery
    rng = np.random.default_rng(k1)
    ids = rng.integers(0, 8, 70)
    features = (rng.standard_normal((8, 5))[ids] + 0.6 * rng.standard_normal((70, 5))).astype('f')
    features *= rng.uniform(0.1, 9, (70, 1)).astype('f')  # lengths do not count
    tensor = torch.from_numpy(features)
    distance = affinity_distance(tensor[:25], tensor[25:], k1, k2)
    assert distance.dtype == np.float32
    np.testing.assert_allclose(distance, slow_affinities(features[:25], features[25:], k1, k2),
                               atol=2e-6)  # fmt: skip


def test_affinities_of_queries_do_not_depend_on_other_queries():
    x = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    together = affinity_distance(x[:10], x[10:], 5, 3)
    np.testing.assert_allclose(affinity_distance(x[3:4], x[10:], 5, 3), together[3:4], atol=1e-6)


def test_affinities_of_zeros_stay_finite():
    assert (affinity_distance(torch.zeros(2, 3), torch.zeros(4, 3)) == 0).all()


def test_affinities_need_no_memory_beyond_the_result(monkeypatch):
    shapes = []
    monkeypatch.setattr(module, '_nearest', lambda d, k: (shapes.append(d.shape), nearest(d, k))[1])
    affinity_distance(torch.randn(7, 4), torch.randn(1100, 4), 4, 2)
    assert max(shapes) == (module.BLOCK, 1100)


nearest = module._nearest


@pytest.mark.parametrize('value', ['AIM', None, 1, ['aim']])
def test_an_unknown_kind_is_refused_by_name(value):
    with pytest.raises(TypeError, match=r"X: `rerank` is .*, expected .* 'k-reciprocal', 'aim'"):
        name_reranking('X', value)
    assert [name_reranking('X', kind) for kind in (True, False, *RERANKINGS)] == [
        'k-reciprocal', None, 'k-reciprocal', 'aim']  # fmt: skip
