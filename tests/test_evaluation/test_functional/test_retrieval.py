"""Every protocol against a slow oracle that was written from the protocols' description alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmvireid.evaluation import (
    FeatureSet,
    LLCMProtocol,
    RegDBProtocol,
    SYSUProtocol,
    chance_level,
    evaluate,
    fuse_flip,
)
from mmvireid.evaluation.functional import retrieval


def feature_set_of(images, seed=0, size=6, levels=None):
    """Noisy identity features for (person, camera, modality, count) rows, in random order.

    ``levels`` rounds the features to so few values that most distances are tied.
    """
    rng = np.random.default_rng(seed)
    rows = [(p, c, m, n) for p, c, m, count in images for n in range(count)]
    rows = [rows[at] for at in rng.permutation(len(rows))]
    centers = rng.standard_normal((100, size))
    features = centers[[row[0] for row in rows]] + 1.5 * rng.standard_normal((len(rows), size))
    if levels:
        features = np.clip(np.round(features), -levels, levels)
    return FeatureSet(
        features=features,
        person_ids=[row[0] for row in rows],
        camera_ids=[row[1] for row in rows],
        modalities=[row[2] for row in rows],
        names=[f'{m}/cam{c}/{p:04d}/{n:04d}.jpg' for p, c, m, n in rows],
    )


def sysu_images(persons=7, seed=1):
    rng = np.random.default_rng(seed)
    cameras = {1: 'visible', 2: 'visible', 3: 'infrared', 4: 'visible', 5: 'visible',
               6: 'infrared'}  # fmt: skip
    rows = [(p, c, m, int(rng.integers(0, 14))) for p in range(persons) for c, m in cameras.items()]
    return [*rows, (50, 3, 'infrared', 4), (51, 1, 'visible', 4), (52, 2, 'visible', 3),
            (52, 3, 'infrared', 2), (53, 4, 'visible', 1)]  # fmt: skip


def llcm_images(persons=7, seed=2):
    rng = np.random.default_rng(seed)
    return [
        (p, c, m, int(rng.integers(0, 4)))
        for p in range(persons)
        for m, cameras in (('visible', range(1, 10)), ('infrared', (1, 2, 4, 5, 6, 7, 8, 9)))
        for c in cameras
    ]


def distances_of(feature_set, distance):
    """What is ranked, from the same float32 arithmetic; the oracle's subject is the ranking."""
    x = torch.from_numpy(feature_set.features)
    if distance == 'euclidean':
        return torch.cdist(x.double(), x.double()).numpy().round(9)
    x = torch.nn.functional.normalize(x.double())
    return -(x @ x.T).numpy().round(9)


def oracle_query(distance, ids, query_id, excluded):
    """Identity rank, image rank, AP and INP of one query, by walking down the ranked list."""
    ranked = sorted((d, at) for at, d in enumerate(distance) if not excluded[at])
    seen, ranks, hits, precisions = set(), None, 0, []
    for position, (_, at) in enumerate(ranked, 1):
        seen.add(ids[at])
        if ids[at] == query_id:
            ranks = ranks or (len(seen), position)
            hits += 1
            precisions.append(hits / position)
            last = position
    return (*ranks, np.mean(precisions), hits / last) if hits else None


def oracle(matrix, feature_set, setting, exclude, trial, max_rank=20):
    ids, cameras = feature_set.person_ids, feature_set.camera_ids
    gallery = setting.galleries[trial]
    scores = []
    for query in setting.queries[trial]:
        excluded = [exclude(ids[query], cameras[query], ids[row], cameras[row]) for row in gallery]
        scores.append(oracle_query(matrix[query, gallery], ids[gallery], ids[query], excluded))
    valid = [score for score in scores if score is not None]
    ranks = np.array([score[0 if setting.rank_by == 'identity' else 1] for score in valid])
    cmc = [(ranks <= rank).mean() for rank in range(1, max_rank + 1)]
    return cmc, *np.mean(valid, axis=0)[2:], len(valid), len(scores) - len(valid)


EXCLUDE = {
    'sysu': lambda qid, qcam, gid, gcam: qcam == 3 and gcam == 2,
    'regdb': lambda qid, qcam, gid, gcam: False,
    'llcm': lambda qid, qcam, gid, gcam: qid == gid and qcam == gcam,
}


def assert_equals_oracle(feature_set, settings, distance):
    report = evaluate(feature_set, settings, distance=distance)
    assert list(report) == [setting.name for setting in settings]
    for setting in settings:
        result = report[setting.name]
        exclude = EXCLUDE[setting.name.split('/')[0]]
        assert len(result.mAP) == len(setting.galleries)
        for trial in range(len(result.mAP)):
            cmc, mean_ap, mean_inp, valid, dropped = oracle(
                distances_of(feature_set, distance), feature_set, setting, exclude, trial
            )
            length = result.cmc.shape[1]
            np.testing.assert_allclose(result.cmc[trial], cmc[:length], atol=1e-9, rtol=0)
            assert cmc[length:] == [1] * (20 - length)
            assert result.mAP[trial] == pytest.approx(mean_ap, abs=1e-9)
            assert result.mINP[trial] == pytest.approx(mean_inp, abs=1e-9)
            assert result.num_valid_queries[trial] == valid
            assert result.num_dropped_queries[trial] == dropped


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
def test_sysu_equals_the_oracle(distance):
    feature_set = feature_set_of(sysu_images())
    settings = SYSUProtocol(num_trials=3).settings(feature_set)
    assert_equals_oracle(feature_set, settings, distance)


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
def test_regdb_equals_the_oracle(distance):
    images = [(p, c, m, 5) for p in range(8) for c, m in ((1, 'visible'), (2, 'infrared'))]
    feature_set = feature_set_of([*images, (9, 1, 'visible', 2)])
    assert_equals_oracle(feature_set, RegDBProtocol().settings(feature_set), distance)


def test_llcm_equals_the_oracle():
    feature_set = feature_set_of(llcm_images())
    directions = ['infrared-to-visible', 'visible-to-infrared', 'visible-to-infrared-legacy']
    settings = LLCMProtocol(directions, num_trials=3).settings(feature_set)
    assert_equals_oracle(feature_set, settings, 'cosine')


def regdb_images(persons=20):
    return [(p, c, m, 5) for p in range(persons) for c, m in ((1, 'visible'), (2, 'infrared'))]


PROTOCOLS = [
    (SYSUProtocol, sysu_images),
    (RegDBProtocol, regdb_images),
    (LLCMProtocol, llcm_images),
]


def rename(names, draw):
    """Other names in the same order: other lots."""
    return [f'{name[:-4]}-{draw}.jpg' for name in names]


@pytest.mark.parametrize(('protocol', 'images'), PROTOCOLS)
def test_ties_are_broken_without_favour(protocol, images):
    """Over many drawings of lots, by other names, the figures are those of random orders."""
    original, found, expected = feature_set_of(images(), size=2, levels=1), [], []
    rng = np.random.default_rng(0)
    for draw in range(30):
        feature_set = replace(original, names=rename(original.names, draw))
        setting = protocol().settings(feature_set)[0]
        result = evaluate(feature_set, [setting], 'euclidean')[setting.name]
        assert result.tied_share[0] > 0.5
        found.append((result.cmc[0, 0], result.mAP[0], result.mINP[0]))
        noisy = distances_of(feature_set, 'euclidean') + 1e-6 * rng.random([len(feature_set)] * 2)
        exclude = EXCLUDE[setting.name.split('/')[0]]
        cmc, *means, _, _ = oracle(noisy, feature_set, setting, exclude, 0)
        expected.append((cmc[0], *means))
    assert not differ(found, expected).any(), (found, expected)


def figures_of(result):
    return result.cmc[:, 0].mean(), result.mAP.mean(), result.mINP.mean()


def differ(found, expected):
    """Whether two samples of figures have means that are more apart than chance allows."""
    deviation = np.sqrt(sum(np.var(x, axis=0, ddof=1) / len(x) for x in (found, expected)))
    return np.abs(np.mean(found, axis=0) - np.mean(expected, axis=0)) > 4 * deviation


@pytest.mark.parametrize(('protocol', 'images'), PROTOCOLS)
def test_equal_features_score_as_random_ones_do(protocol, images):
    original, found, expected = feature_set_of(images(20)), [], []
    equal = replace(original, features=np.full_like(original.features, 0.3))
    for draw in range(12):
        renamed = replace(equal, names=rename(equal.names, draw))
        noise = np.random.default_rng(draw).standard_normal((len(original), 64))
        for figures, subject in ((found, renamed), (expected, replace(original, features=noise))):
            settings = protocol().settings(subject)
            figures.append([figures_of(result) for result in evaluate(subject, settings).values()])
    assert not differ(found, expected).any(), (found, expected)


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
def test_equal_features_are_equal_at_any_value_and_reported(distance, monkeypatch):
    said = []
    monkeypatch.setattr(retrieval, 'print_log', lambda text, *_: said.append(text))
    feature_set = feature_set_of(regdb_images())
    settings = RegDBProtocol().settings(feature_set)
    evaluate(feature_set, settings, distance)
    assert not said
    found = []
    for value in (0, 0.3, -1e30, 1e-30):
        equal = replace(feature_set, features=np.full_like(feature_set.features, value))
        for result in evaluate(equal, settings, distance).values():
            assert result.tied_share == 1
            found.append(figures_of(result))
        assert 'equal: 100.0 % of regdb/visible-to-infrared' in said.pop()
    assert len({*found}) == 2  # one per direction


def test_equal_features_have_the_expected_precision_of_a_random_order():
    feature_set = feature_set_of(regdb_images())
    settings = RegDBProtocol().settings(feature_set)
    report = evaluate(replace(feature_set, features=np.ones((len(feature_set), 4))), settings)
    size, matches, place = 100, 5, np.arange(1, 101)
    expected = ((1 + (place - 1) * (matches - 1) / (size - 1)) / place).mean()
    for result in report.values():
        assert result.mAP[0] == pytest.approx(expected, abs=0.015)


def test_ties_do_not_depend_on_the_row_order():
    feature_set = feature_set_of(sysu_images(), size=2, levels=1)
    order = np.random.default_rng(3).permutation(len(feature_set))
    shuffled = FeatureSet(**{k: v[order] for k, v in vars(feature_set).items() if v is not None})
    reports = [
        evaluate(s, SYSUProtocol().settings(s), 'euclidean') for s in (feature_set, shuffled)
    ]
    for name, result in reports[0].items():
        np.testing.assert_array_equal(result.cmc, reports[1][name].cmc)
        np.testing.assert_allclose(result.mAP, reports[1][name].mAP, rtol=1e-12)


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
@pytest.mark.parametrize('scale', [1e-36, 1e-20, 2.0**-70, 1e10, 1e20, 1e37])
def test_figures_do_not_depend_on_the_scale(scale, distance):
    feature_set = feature_set_of(sysu_images(), size=6)
    features = feature_set.features * np.float32(2.0 ** np.round(np.log2(scale)))
    scaled = replace(feature_set, features=features)
    settings = SYSUProtocol(num_trials=2).settings(feature_set)
    for rerank in (False, True, 'aim'):
        plain, other = (evaluate(s, settings, distance, rerank) for s in (feature_set, scaled))
        for name, result in plain.items():
            for key, value in vars(result).items():
                np.testing.assert_array_equal(value, getattr(other[name], key))


@pytest.mark.parametrize('kind', [np.float16, np.float64, np.longdouble])
def test_the_type_of_the_features_has_no_say(kind):
    feature_set = feature_set_of(sysu_images())
    features = feature_set.features.astype(np.float16)
    one, other = (replace(feature_set, features=features.astype(k)) for k in (np.float32, kind))
    settings = SYSUProtocol(num_trials=1).settings(feature_set)
    for name, result in evaluate(one, settings).items():
        np.testing.assert_array_equal(result.cmc, evaluate(other, settings)[name].cmc)


def test_lengths_that_no_euclidean_distance_holds_are_refused():
    feature_set = feature_set_of(regdb_images(4))
    features = feature_set.features.copy()
    features[3] *= 1e-20
    mixed = replace(feature_set, features=features)
    settings = RegDBProtocol().settings(feature_set)
    with pytest.raises(ValueError, match=f'very different lengths .*{mixed.names[3]}.*cosine'):
        evaluate(mixed, settings, 'euclidean')
    plain, other = evaluate(feature_set, settings), evaluate(mixed, settings)
    for name, result in plain.items():
        np.testing.assert_allclose(other[name].mAP, result.mAP, atol=1e-6)


def test_settings_share_work_but_not_results():
    feature_set = feature_set_of(sysu_images())
    settings = SYSUProtocol(num_trials=2).settings(feature_set)
    together = evaluate(feature_set, settings)
    for setting in settings:
        alone = evaluate(feature_set, [setting])[setting.name]
        for key, value in vars(alone).items():
            np.testing.assert_array_equal(value, getattr(together[setting.name], key))


def test_result_depends_on_neither_threads_nor_row_order():
    feature_set = feature_set_of(sysu_images(20))
    order = np.random.default_rng(3).permutation(len(feature_set))
    shuffled = FeatureSet(**{k: v[order] for k, v in vars(feature_set).items() if v is not None})
    threads, reports = torch.get_num_threads(), []
    try:
        for count, subject in ((1, feature_set), (3, feature_set), (2, shuffled)):
            torch.set_num_threads(count)
            reports.append(evaluate(subject, SYSUProtocol(num_trials=2).settings(subject)))
    finally:
        torch.set_num_threads(threads)
    for report in reports[1:]:
        for name, result in reports[0].items():
            np.testing.assert_allclose(result.cmc, report[name].cmc, atol=1e-12)
            np.testing.assert_allclose(result.mAP, report[name].mAP, atol=1e-12)


def test_opposite_direction_reuses_the_product_and_stays_right(monkeypatch):
    images = [(p, c, m, 3) for p in range(8) for c, m in ((1, 'visible'), (2, 'infrared'))]
    feature_set = feature_set_of(images, levels=2)  # integers: both products are exact
    settings = RegDBProtocol().settings(feature_set)
    kept = evaluate(feature_set, settings, 'euclidean')
    monkeypatch.setattr(retrieval, 'MAX_KEPT', 0)
    fresh = evaluate(feature_set, settings, 'euclidean')
    for name in kept:
        np.testing.assert_array_equal(kept[name].cmc, fresh[name].cmc)
        np.testing.assert_array_equal(kept[name].mINP, fresh[name].mINP)


@pytest.mark.parametrize('rerank', [True, 'aim'])
def test_reranking_is_exact_on_separated_identities_and_changes_the_rest(rerank):
    feature_set = feature_set_of(sysu_images())
    settings = SYSUProtocol(['all'], [1], num_trials=2).settings(feature_set)
    plain, reranked = (evaluate(feature_set, settings, rerank=r) for r in (False, rerank))
    assert not np.allclose(plain['sysu/all-1shot'].mAP, reranked['sysu/all-1shot'].mAP)
    ids = feature_set.person_ids
    perfect = replace(feature_set, features=10 * np.eye(100)[ids] + 1)
    result = evaluate(perfect, settings, rerank=rerank)['sysu/all-1shot']
    np.testing.assert_allclose([result.mAP, result.mINP, result.cmc[:, 0]], 1)


def test_aim_has_the_neighbourhoods_of_the_setting(monkeypatch):
    asked = []

    def distance(queries, gallery, k1, k2):
        asked.append((k1, k2))
        return -(queries @ gallery.T).numpy()

    monkeypatch.setattr(retrieval, 'affinity_distance', distance)
    feature_set = feature_set_of(sysu_images())
    settings = SYSUProtocol(num_trials=1).settings(feature_set)
    plain, report = evaluate(feature_set, settings), evaluate(feature_set, settings, rerank='aim')
    assert asked == [(4, 1), (20, 6), (2, 2), (20, 6)]  # all-1, all-10, indoor-1, indoor-10
    np.testing.assert_allclose(report['sysu/all-1shot'].mAP, plain['sysu/all-1shot'].mAP)
    with pytest.raises(TypeError, match="evaluate: `rerank` is 'k', expected"):
        evaluate(feature_set, settings, rerank='k')


def test_chance_level_is_deterministic_and_near_the_expected_rank_1():
    images = [(p, c, m, 5) for p in range(40) for c, m in ((1, 'visible'), (2, 'infrared'))]
    feature_set = feature_set_of(images)
    settings = RegDBProtocol().settings(feature_set)
    first, second = chance_level(feature_set, settings), chance_level(feature_set, settings)
    for name, result in first.items():
        np.testing.assert_array_equal(result.cmc, second[name].cmc)
        # Rank 1 of 200 queries with 1 / 40 each: 2.5 % with a standard deviation of 1.1 points.
        assert 0 <= result.cmc[0, 0] < 0.07


def test_flip_fusion_adds_directions_not_lengths():
    feature_set = FeatureSet([[3.0, 0.0]], [1], [1], ['visible'], ['a'], [[0.0, 0.1]])
    fused = fuse_flip(feature_set)
    np.testing.assert_allclose(fused.features, [[0.5**0.5, 0.5**0.5]], rtol=1e-6)
    with pytest.raises(ValueError, match='`flip_features` is None'):
        fuse_flip(fused)


def test_flip_fusion_of_raw_features_lets_the_longer_one_count_more():
    feature_set = FeatureSet([[3.0, 4.0]], [1], [1], ['visible'], ['a'], [[1.0, -0.5]])
    fused = fuse_flip(feature_set, 'raw')
    np.testing.assert_array_equal(fused.features, [[4.0, 3.5]])
    assert fused.flip_features is None
    with pytest.raises(ValueError, match='`flip_sum` is .*mean'):
        fuse_flip(feature_set, 'mean')


def test_no_query_with_a_match_names_the_setting():
    feature_set = feature_set_of([(1, 1, 'visible', 2), (2, 2, 'infrared', 2)])
    with pytest.raises(ValueError, match='no query of setting regdb/visible-to-infrared'):
        evaluate(feature_set, RegDBProtocol().settings(feature_set))


def test_unknown_distance_is_named():
    feature_set = feature_set_of([(1, 1, 'visible', 2), (1, 2, 'infrared', 2)])
    with pytest.raises(
        ValueError, match=r"`distance` is \['l1'\], expected one or more of .*cosine"
    ):
        evaluate(feature_set, RegDBProtocol().settings(feature_set), distance='l1')


def test_length_of_the_cmc():
    feature_set = feature_set_of(sysu_images())
    settings = SYSUProtocol(['all'], [1], num_trials=1).settings(feature_set)
    num_ids = len(np.unique(feature_set.person_ids[settings[0].galleries[0]]))
    for max_rank, length in ((3, 3), (20, num_ids), (None, num_ids)):
        cmc = evaluate(feature_set, settings, max_rank=max_rank)['sysu/all-1shot'].cmc
        assert cmc.shape == (1, length)
    assert cmc[0, -1] == 1
    with pytest.raises(ValueError, match=r'`max_rank` is 0, expected at least 1'):
        evaluate(feature_set, settings, max_rank=0)
