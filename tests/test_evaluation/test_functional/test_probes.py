import sys

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from mmvireid.evaluation.functional import (
    folds_of_images,
    folds_of_people,
    held_out_accuracy,
    linear_probe,
)


def people(num_ids=20, num_images=12):
    return np.repeat(np.arange(num_ids) * 7, num_images)


def planted(labels, rng, size=10, noise=0.1):
    """Features in which labels are directions, beside much that has nothing to do with them."""
    _, kinds = np.unique(labels, return_inverse=True)
    directions = rng.normal(size=(kinds.max() + 1, size))
    features = directions[kinds] + noise * rng.normal(size=(len(labels), size))
    return np.hstack([features, 50 * rng.normal(size=(len(labels), size))])


@pytest.mark.parametrize('split', [folds_of_images, folds_of_people])
def test_a_planted_label_is_read_and_an_independent_one_is_not(split):
    rng = np.random.default_rng(0)
    person_ids = people()
    labels = rng.choice(['front', 'side', 'back'], len(person_ids), p=[0.6, 0.2, 0.2])
    folds = split(person_ids, rng)
    probe = linear_probe()
    features = planted(labels, rng)
    assert held_out_accuracy(probe, features, labels, folds) > 99
    # whatever scale a dimension has
    scaled = features * np.exp(rng.normal(size=features.shape[1]) * 3)
    assert held_out_accuracy(probe, scaled, labels, folds) > 99
    others = planted(rng.permutation(labels), rng)
    assert abs(held_out_accuracy(probe, others, labels, folds) - 100 / 3) < 10


def test_who_it_is_cannot_be_learned_by_heart():
    """A label of people is no label of images: nobody is fitted to and asked."""
    rng = np.random.default_rng(0)
    person_ids = people()
    of_person = rng.integers(0, 2, 20)[np.unique(person_ids, return_inverse=True)[1]]
    features = planted(person_ids, rng, size=40)
    probe = linear_probe()
    by_heart = held_out_accuracy(probe, features, of_person, folds_of_images(person_ids, rng))
    honest = held_out_accuracy(probe, features, of_person, folds_of_people(person_ids, rng))
    assert by_heart > 95
    assert honest < 75


def test_accuracy_is_scikit_learns_balanced_one():
    rng = np.random.default_rng(0)
    labels, answers = rng.choice(list('abc'), 50, p=[0.7, 0.2, 0.1]), rng.choice(list('abc'), 50)

    def guess(features, known, others):
        assert len(features) == len(known) == 40
        return answers[others[:, 0]]

    found = held_out_accuracy(guess, np.arange(50)[:, None], labels, np.arange(50) % 5)
    assert found == pytest.approx(100 * balanced_accuracy_score(labels, answers))


def test_images_of_everyone_are_in_every_fold_and_people_in_one():
    rng = np.random.default_rng(0)
    person_ids = rng.permutation(people())
    images, whole = folds_of_images(person_ids, rng), folds_of_people(person_ids, rng)
    for person_id in np.unique(person_ids):
        of = person_ids == person_id
        counts = np.bincount(images[of], minlength=5)
        assert counts.min() >= 2 and counts.sum() == 12
        assert len(np.unique(whole[of])) == 1
    assert np.bincount(whole).tolist() == [48] * 5
    assert len(np.unique(folds_of_people(np.array([3, 3, 8]), rng))) == 2


def test_one_label_outside_of_a_fold_is_named():
    features, labels = np.zeros((4, 1)), np.array(['a', 'a', 'b', 'b'])
    with pytest.raises(ValueError, match=r"`labels` has \['b'\] outside of fold 0"):
        held_out_accuracy(linear_probe(), features, labels, np.array([0, 0, 1, 1]))


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'sklearn.linear_model', None)
    with pytest.raises(RuntimeError, match="scikit-learn, which comes with the extra 'analysis'"):
        linear_probe()
