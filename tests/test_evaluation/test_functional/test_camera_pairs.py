import numpy as np
import pytest

from mmvireid.evaluation import FeatureSet, LLCMProtocol, RegDBProtocol, SYSUProtocol
from mmvireid.evaluation.functional import camera_pairs


def random_features(cameras, infrared, num_ids=9, names='cam{c}/{p:04d}/{i:04d}.jpg'):
    rng = np.random.default_rng(0)
    rows = [(c, p, i) for c in cameras for p in range(1, num_ids + 1) for i in (1, 2)]
    rows = [row for row in rows if row[:2] != (5, 3)]  # one camera has not seen everyone
    columns = np.array(rows)
    modalities = np.where(np.isin(columns[:, 0], infrared), 'infrared', 'visible')
    names = [names.format(c=c, p=p, i=i) for c, p, i in rows]
    values = np.eye(num_ids + 1)[columns[:, 1]] + 0.7 * rng.normal(size=(len(rows), num_ids + 1))
    return FeatureSet(values, columns[:, 1], columns[:, 0], modalities, names)


def slow(features, setting):
    """Ask every query of every trial by itself."""
    counts = {}
    unit = features.features / np.linalg.norm(features.features, axis=1, keepdims=True)
    for queries, gallery in zip(setting.queries, setting.galleries):
        for query in queries:
            for camera in np.unique(features.camera_ids[gallery]):
                shown = [
                    row
                    for row in gallery
                    if features.camera_ids[row] == camera
                    and not (
                        setting.excluded is not None
                        and setting.excluded(features, np.array([query]), np.array([row]))[0, 0]
                    )
                ]
                right = [features.person_ids[row] == features.person_ids[query] for row in shown]
                if any(right):
                    found = counts.setdefault((int(features.camera_ids[query]), int(camera)), [])
                    found.append(right[int(np.argmax([unit[query] @ unit[row] for row in shown]))])
    return counts


@pytest.mark.parametrize(
    ('protocol', 'cameras', 'infrared'),
    [
        (SYSUProtocol(['all'], [1], num_trials=3), (1, 2, 3, 4, 5, 6), (3, 6)),
        (SYSUProtocol(['indoor'], [2], num_trials=2), (1, 2, 3, 4, 5, 6), (3, 6)),
        (RegDBProtocol(['visible-to-infrared']), (1, 2), (2,)),
        (LLCMProtocol(['infrared-to-visible'], num_trials=2), (1, 2, 3, 11, 12), (11, 12)),
    ],
)
def test_pairs_equal_a_loop_over_queries(protocol, cameras, infrared):
    features = random_features(cameras, infrared)
    (setting,) = protocol.settings(features)
    found, expected = camera_pairs(features, setting), slow(features, setting)
    for row, query in enumerate(found.query_cameras):
        for column, gallery in enumerate(found.gallery_cameras):
            right = expected.get((query, gallery), [])
            assert found.asked[row, column] == len(right)
            assert found.right[row, column] == sum(right)
            if right:
                assert found.R1[row, column] == pytest.approx(100 * np.mean(right))
            else:
                assert np.isnan(found.R1[row, column])
    assert found.asked.sum() == sum(map(len, expected.values()))
    assert 0 < found.right.sum() < found.asked.sum()


def test_a_room_that_is_excluded_is_nobody_s(recwarn):
    features = random_features((1, 2, 3), (3,))
    found = camera_pairs(features, SYSUProtocol(['all'], [1], num_trials=2).settings(features)[0])
    assert found.asked.tolist() == [[36, 0]]  # of cameras 3 and 2
    assert not recwarn.list
