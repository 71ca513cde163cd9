import builtins

import numpy as np
import pytest

from mmvireid.evaluation import FeatureSet
from mmvireid.visualization import choose_rows, tsne


@pytest.fixture
def feature_set():
    return FeatureSet(
        features=np.random.default_rng(0).normal(size=(60, 8)),
        person_ids=np.repeat(np.arange(6), 10),
        camera_ids=np.ones(60, int),
        modalities=['visible', 'infrared'] * 30,
        names=[f'{row:02}.jpg' for row in range(60)],
    )


def test_the_drawn_images_are_of_the_drawn_identities(feature_set):
    rows = choose_rows(feature_set, num_ids=3, max_points=20, seed=1)
    assert len(set(rows.tolist())) == 20
    assert (np.diff(rows) > 0).all()
    assert len(set(feature_set.person_ids[rows].tolist())) == 3
    np.testing.assert_array_equal(rows, choose_rows(feature_set, 3, 20, seed=1))
    assert not np.array_equal(rows, choose_rows(feature_set, 3, 20, seed=2))
    assert len(choose_rows(feature_set, 100, 1000, seed=0)) == len(feature_set)


def test_directions_that_are_apart_stay_apart():
    """Two bundles of directions, their lengths at random: length must not matter."""
    rng = np.random.default_rng(0)
    bundle = np.repeat([0, 1], 15)
    features = np.eye(2)[bundle] + rng.normal(scale=0.01, size=(30, 2))
    features *= rng.uniform(0.1, 50, (30, 1))
    points = tsne(seed=0)(features.astype(np.float32))
    assert points.shape == (30, 2)
    centers = np.stack([points[bundle == side].mean(0) for side in (0, 1)])
    nearest = np.linalg.norm(points[:, None] - centers, axis=2).argmin(1)
    np.testing.assert_array_equal(nearest, bundle)
    np.testing.assert_array_equal(points, tsne(seed=0)(features.astype(np.float32)))


def test_four_features_are_enough_and_three_are_refused():
    assert np.isfinite(tsne(0)(np.eye(4, dtype=np.float32))).all()
    with pytest.raises(ValueError, match='tsne: `features` has 3 rows, expected at least 4'):
        tsne(0)(np.eye(3, dtype=np.float32))


def test_a_missing_package_is_named(monkeypatch):
    real = builtins.__import__

    def without_sklearn(name, *args, **kwargs):
        if name.startswith('sklearn'):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', without_sklearn)
    with pytest.raises(RuntimeError, match=r'scikit-learn.*\[analysis\]'):
        tsne(0)
