from itertools import combinations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mmvireid.evaluation import FeatureSet
from mmvireid.evaluation.functional import (
    cross_modality_histograms,
    distance_histograms,
    mean_similarity,
    separation,
)


def random_features(num_images=90, size=4, num_ids=5):
    rng = np.random.default_rng(0)
    return FeatureSet(
        features=rng.normal(size=(num_images, size)) * rng.uniform(0.1, 9, (num_images, 1)),
        person_ids=rng.integers(0, num_ids, num_images),
        camera_ids=np.ones(num_images, int),
        modalities=rng.choice(['visible', 'infrared'], num_images),
        names=[f'{i:03}.jpg' for i in range(num_images)],
    )


def cosine(features):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    return unit.astype(np.float64)


def test_histograms_equal_a_list_of_all_pairs(monkeypatch):
    monkeypatch.setattr(separation, 'BLOCK', 7)  # several blocks, the last one not full
    features = random_features()
    found = cross_modality_histograms(features, num_bins=20)
    unit, visible = cosine(features.features), features.modalities == 'visible'
    distances = cdist(unit[visible], unit[~visible])
    same = features.person_ids[visible][:, None] == features.person_ids[~visible]
    np.testing.assert_allclose(found.edges, np.arange(21) / 10)
    for counts, mean, pairs in (
        (found.same, found.same_mean, same),
        (found.different, found.different_mean, ~same),
    ):
        np.testing.assert_array_equal(counts, np.histogram(distances[pairs], found.edges)[0])
        assert mean == pytest.approx(distances[pairs].mean(), rel=1e-6)
    expected = distances[~same].mean() - distances[same].mean()
    assert found.delta == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize('modality', ['visible', 'infrared'])
def test_pairs_of_one_modality_count_once(modality, monkeypatch):
    monkeypatch.setattr(separation, 'BLOCK', 7)
    features = random_features()
    found = distance_histograms(features, modality, modality, num_bins=20)
    rows = np.flatnonzero(features.modalities == modality)
    unit, ids = cosine(features.features[rows]), features.person_ids[rows]
    pairs = list(combinations(range(len(rows)), 2))
    distances = np.array([np.linalg.norm(unit[i] - unit[j]) for i, j in pairs])
    same = np.array([ids[i] == ids[j] for i, j in pairs])
    for counts, mean, kind in (
        (found.same, found.same_mean, same),
        (found.different, found.different_mean, ~same),
    ):
        np.testing.assert_array_equal(counts, np.histogram(distances[kind], found.edges)[0])
        assert mean == pytest.approx(distances[kind].mean(), rel=1e-6)


def test_the_ends_of_the_range_are_counted():
    """Equal and opposite features are 0 and 2 apart, whatever rounding makes of it."""
    direction = np.random.default_rng(0).normal(size=300)
    features = FeatureSet(
        features=np.stack([direction, direction, -direction]),
        person_ids=[1, 1, 2],
        camera_ids=[1, 3, 3],
        modalities=['visible', 'infrared', 'infrared'],
        names=['a', 'b', 'c'],
    )
    found = cross_modality_histograms(features, num_bins=4)
    assert found.same.tolist() == [1, 0, 0, 0]
    assert found.different.tolist() == [0, 0, 0, 1]
    assert found.delta == pytest.approx(2, abs=1e-3)


@pytest.mark.parametrize(
    ('person_ids', 'message'),
    [([1, 1, 2, 2], 'of the same identity'), ([1, 1, 1, 1], 'of different identities')],
)
def test_pairs_of_both_kinds_are_needed(person_ids, message):
    features = FeatureSet(
        features=np.eye(4),
        person_ids=person_ids,
        camera_ids=[1, 1, 3, 3],
        modalities=['visible', 'visible', 'infrared', 'infrared'],
        names=list('abcd'),
    )
    with pytest.raises(ValueError, match=f'distance_histograms.*{message}'):
        cross_modality_histograms(features)


@pytest.mark.parametrize('first', ['visible', 'infrared'])
@pytest.mark.parametrize('second', ['visible', 'infrared'])
def test_mean_similarities_equal_a_loop_over_all_pairs(first, second):
    features = random_features()
    unit = cosine(features.features)
    pairs = {True: [], False: []}
    for i in np.flatnonzero(features.modalities == first):
        for j in np.flatnonzero(features.modalities == second):
            if i != j:
                same = bool(features.person_ids[i] == features.person_ids[j])
                pairs[same].append(unit[i] @ unit[j])
    found = mean_similarity(features, first, second)
    assert found.same == pytest.approx(np.mean(pairs[True]), abs=1e-6)
    assert found.different == pytest.approx(np.mean(pairs[False]), abs=1e-6)


@pytest.mark.parametrize(
    ('person_ids', 'message'),
    [
        ([1, 2, 3], 'visible and visible images of the same identity'),
        ([1, 1, 1], 'visible and visible images of different identities'),
    ],
)
def test_similarities_need_pairs_of_both_kinds(person_ids, message):
    features = FeatureSet(
        features=np.eye(3),
        person_ids=person_ids,
        camera_ids=[1, 2, 4],
        modalities=['visible'] * 3,
        names=list('abc'),
    )
    with pytest.raises(ValueError, match=f'mean_similarity.*{message}'):
        mean_similarity(features, 'visible', 'visible')
