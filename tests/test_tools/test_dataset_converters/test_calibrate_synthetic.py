"""The cheap figures of the package's docstring, on a part of the test identities."""

import numpy as np
import pytest

from mmvireid.datasets.rendering import LAYOUTS


@pytest.fixture(scope='module')
def tool(load_tool):
    return load_tool('dataset_converters/calibrate_synthetic.py')


def test_rank1_against_a_slow_loop(tool):
    shots = LAYOUTS['sysu']('tiny', 0).test_shots()
    features = np.random.default_rng(0).normal(size=(len(shots), 8))
    hits, chances = [], []
    for i, query in enumerate(shots):
        candidates = [
            j
            for j, shot in enumerate(shots)
            if shot.camera.modality == 'visible' and shot.camera.room != query.camera.room
        ]
        same = [j for j in candidates if shots[j].person_id == query.person_id]
        if query.camera.modality == 'infrared' and same:
            cosine = [
                features[i]
                @ features[j]
                / np.linalg.norm(features[i])
                / np.linalg.norm(features[j])
                for j in candidates
            ]
            hits.append(candidates[int(np.argmax(cosine))] in same)
            chances.append(len(same) / len(candidates))
    score = tool.rank1(features, shots, 'infrared', 'visible')
    np.testing.assert_allclose(score, [100 * np.mean(hits), 100 * np.mean(chances)])


def test_colours_help_within_and_not_across_the_modalities(tool):
    shots = LAYOUTS['sysu']('small', 0).test_shots()
    ids = sorted({shot.person_id for shot in shots})[:30]
    some = [shot for shot in shots if shot.person_id in ids and shot.index <= 2]
    scores = tool.calibrate(some, seed=0)

    within = scores.pop('colour histogram, visible -> visible')
    assert within.rank1 > 10 * within.chance
    assert len(scores) == 4
    for score in scores.values():
        assert score.rank1 < 5 * score.chance
