import numpy as np
import pytest
import torch

from mmvireid.evaluation.functional import k_reciprocal_distance


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
