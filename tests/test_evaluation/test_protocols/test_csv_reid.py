from dataclasses import replace

import numpy as np
import pytest

from mmvireid.evaluation import CSVProtocol, FeatureSet, LLCMProtocol, evaluate
from mmvireid.evaluation.protocols.csv_reid import LEFT_OUT

ROOMS = {1: 'lobby', 2: 'lab', 3: 'lab', 4: ''}


@pytest.fixture(scope='module')
def features():
    """Images of 5 people by 4 cameras, each of both modalities, in any order; random features."""
    rng = np.random.default_rng(0)
    rows = [
        (person, camera, modality, number)
        for person in range(1, 6)
        for camera in ROOMS
        for modality in ('visible', 'infrared')
        for number in range((person + camera) % 3 + 1)
    ]
    rows = [rows[at] for at in rng.permutation(len(rows))]
    persons, cameras, modalities, _ = zip(*rows)
    return FeatureSet(
        rng.normal(size=(len(rows), 8)),
        persons,
        cameras,
        modalities,
        names=[f'{m}/{p}_{c}_{n}.jpg' for p, c, m, n in rows],
        rooms=[ROOMS[camera] for camera in cameras],
    )


def slow_scores(features, asking, asked, shares):
    """R1 and mAP in percent by loops over images; ``shares(a, b)`` leaves pairs out."""
    unit = features.features / np.linalg.norm(features.features, axis=1, keepdims=True)
    first, precision = [], []
    for q in np.flatnonzero(np.isin(features.modalities, asking)):
        gallery = [
            g
            for g in np.flatnonzero(np.isin(features.modalities, asked))
            if g != q and not shares(q, g)
        ]
        ranking = sorted(gallery, key=lambda g: -float(unit[q] @ unit[g]))
        hits = [features.person_ids[g] == features.person_ids[q] for g in ranking]
        if any(hits):
            at = np.flatnonzero(hits)
            first.append(hits[0])
            precision.append(np.mean([(k + 1) / (rank + 1) for k, rank in enumerate(at)]))
    return np.mean(first), np.mean(precision)


@pytest.mark.parametrize('rule', [None, *LEFT_OUT])
@pytest.mark.parametrize(
    'direction', ['infrared-to-visible', 'visible-to-visible', 'any-to-infrared', 'any-to-any']
)
def test_every_rule_equals_loops(rule, direction, features):
    def shares(a, b):
        place = features.rooms if rule and rule.endswith('room') else features.camera_ids
        person = 'person' not in (rule or '') or features.person_ids[a] == features.person_ids[b]
        return rule is not None and place[a] == place[b] and place[a] != '' and person

    sides = [dict(any=['visible', 'infrared']).get(s, [s]) for s in direction.split('-to-')]
    protocol = CSVProtocol([direction], left_out=[rule] if rule else [])
    report = evaluate(features, protocol.settings(features))
    result = report[f'csv/{direction}']
    expected = slow_scores(features, *sides, shares)
    assert (result.cmc[0, 0], result.mAP[0]) == pytest.approx(expected)


def test_rules_add_up(features):
    (both,) = CSVProtocol(['any-to-any'], left_out=LEFT_OUT[:2]).settings(features)
    rows = np.arange(len(features))
    parts = [CSVProtocol(['any-to-any'], left_out=[r]).settings(features)[0] for r in LEFT_OUT[:2]]
    a, b, c = (setting.excluded(features, rows, rows) for setting in (*parts, both))
    np.testing.assert_array_equal(a | b, c)


def test_as_llcm_it_is_llcm(features):
    ours = CSVProtocol(shots=1, num_trials=4, left_out=['same-person-and-camera'],
                       rank_by='identity')  # fmt: skip
    llcm = LLCMProtocol(num_trials=4)
    reports = [evaluate(features, p.settings(features)) for p in (ours, llcm)]
    for direction in llcm.directions:
        a, b = reports[0][f'csv/{direction}-1shot'], reports[1][f'llcm/{direction}']
        np.testing.assert_array_equal(a.mAP, b.mAP)
        np.testing.assert_array_equal(a.cmc, b.cmc)


def test_cameras_choose_sides(features):
    protocol = CSVProtocol(['infrared-to-visible'], query_cameras=[1], gallery_cameras=[2, 3])
    (setting,) = protocol.settings(features)
    assert set(features.camera_ids[setting.all_queries]) == {1}
    assert set(features.camera_ids[setting.candidates]) == {2, 3}
    with pytest.raises(ValueError, match='has no gallery images'):
        replace(protocol, gallery_cameras=[9]).settings(features)


def test_rooms_must_be_known(features):
    protocol = CSVProtocol(left_out=['same-room'])
    with pytest.raises(ValueError, match='`left_out` is .* expected no rooms'):
        protocol.settings(replace(features, rooms=None))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(directions=['up']), "`directions` is .'up'"),
        (dict(left_out=['camera']), '`left_out` is'),
        (dict(left_out='same-room'), '`left_out` is'),
        (dict(shots=0), '`shots` is 0'),
        (dict(num_trials=10), '`num_trials` is 10, expected 1, or `shots`'),
        (dict(rank_by='people'), '`rank_by` is'),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=f'CSVProtocol: {message}'):
        CSVProtocol(**arguments)
