import random

import numpy as np
import pytest

from mmvireid.evaluation import FeatureSet, LLCMProtocol

COUNTS = {
    (person, camera, modality): (person + 2 * camera + len(modality)) % 4
    for person in (3, 12, 20)
    for camera in range(1, 10)
    for modality in ('visible', 'infrared')
    if (camera, modality) != (3, 'infrared')
}


@pytest.fixture(scope='module')
def features():
    rows = [(*key, n) for key, count in COUNTS.items() for n in range(count)]
    rows = [rows[at] for at in np.random.default_rng(0).permutation(len(rows))]
    return FeatureSet(
        np.zeros((len(rows), 1)),
        person_ids=[row[0] for row in rows],
        camera_ids=[row[1] for row in rows],
        modalities=[row[2] for row in rows],
        names=[f'test_{m}/cam{c}/{p:04d}/{n}.jpg' for p, c, m, n in rows],
    )


def expected_draw(modality, trial):
    """File names as the released script draws them, from the global generator."""
    state = random.getstate()
    random.seed(trial)
    names = []
    for person in (3, 12, 20):
        for camera in range(1, 10):
            count = COUNTS.get((person, camera, modality), 0)
            files = [f'test_{modality}/cam{camera}/{person:04d}/{n}.jpg' for n in range(count)]
            names += [random.choice(files)] if files else []
    random.setstate(state)
    return names


@pytest.mark.parametrize(
    ('direction', 'queries', 'gallery'),
    [
        ('infrared-to-visible', 'infrared', 'visible'),
        ('visible-to-infrared', 'visible', 'infrared'),
    ],
)
def test_galleries_are_drawn_as_released(features, direction, queries, gallery):
    (setting,) = LLCMProtocol([direction]).settings(features)
    assert setting.name == f'llcm/{direction}'
    assert setting.rank_by == 'identity'
    assert len(setting.galleries) == 10
    for trial, rows in enumerate(setting.galleries):
        assert features.names[rows].tolist() == expected_draw(gallery, trial)
        asked = np.sort(setting.queries[trial])
        np.testing.assert_array_equal(asked, np.flatnonzero(features.modalities == queries))


def test_legacy_draws_the_queries_instead(features):
    (setting,) = LLCMProtocol(['visible-to-infrared-legacy']).settings(features)
    assert setting.name == 'llcm/visible-to-infrared-legacy'
    for trial, rows in enumerate(setting.queries):
        assert features.names[rows].tolist() == expected_draw('infrared', trial)
        everything = np.sort(setting.galleries[trial])
        np.testing.assert_array_equal(everything, np.flatnonzero(features.modalities == 'visible'))


def test_only_the_person_in_the_same_camera_is_left_out(features):
    (setting,) = LLCMProtocol(['infrared-to-visible']).settings(features)
    excluded = setting.excluded(features, setting.all_queries, setting.candidates)
    for query, row in zip(setting.all_queries, excluded):
        for candidate, out in zip(setting.candidates, row):
            same = (features.person_ids[query], features.camera_ids[query]) == (
                features.person_ids[candidate], features.camera_ids[candidate])  # fmt: skip
            assert out == same


def test_legacy_is_not_a_default(features):
    names = [setting.name for setting in LLCMProtocol(num_trials=1).settings(features)]
    assert names == ['llcm/infrared-to-visible', 'llcm/visible-to-infrared']


@pytest.mark.parametrize('kwargs', [{'directions': ['up']}, {'num_trials': 0}])
def test_wrong_arguments_are_named(kwargs):
    with pytest.raises(ValueError, match=f'LLCMProtocol: `{next(iter(kwargs))}` is'):
        LLCMProtocol(**kwargs)
