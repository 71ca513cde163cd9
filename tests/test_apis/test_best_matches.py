import numpy as np
import pytest

from mmvireid.apis import best_matches
from mmvireid.evaluation import FeatureSet, SYSUProtocol


@pytest.fixture
def features():
    """Random features of six people in all cameras of SYSU-MM01, two images in each."""
    rows = [(p, c, i) for p in range(1, 7) for c in range(1, 7) for i in range(1, 3)]
    return FeatureSet(
        features=np.random.default_rng(0).normal(size=(len(rows), 8)),
        person_ids=[person for person, _, _ in rows],
        camera_ids=[camera for _, camera, _ in rows],
        modalities=['infrared' if camera in (3, 6) else 'visible' for _, camera, _ in rows],
        names=[f'cam{camera}/{person:04d}/{image:04d}.jpg' for person, camera, image in rows],
    )


def test_matches_are_the_most_similar_admissible_ones(features):
    setting = SYSUProtocol().settings(features)[0]
    unit = features.features / np.linalg.norm(features.features, axis=1, keepdims=True)
    cameras = set()
    for query in setting.queries[0]:
        admissible = [
            row
            for row in setting.galleries[0]
            if not (features.camera_ids[query] == 3 and features.camera_ids[row] == 2)
        ]
        expected = sorted(admissible, key=lambda row: -float(unit[row] @ unit[query]))[:10]
        assert best_matches(features, setting, query, 10).tolist() == expected
        cameras.add(int(features.camera_ids[query]))
    assert cameras == {3, 6}
    few = best_matches(features, setting, setting.queries[0][0], 10_000)
    assert len(few) < len(setting.galleries[0]) and features.camera_ids[few].min() == 1
