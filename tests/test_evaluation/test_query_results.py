import numpy as np
import pytest

from mmvireid.evaluation import FeatureSet, SYSUProtocol, evaluate
from mmvireid.evaluation.query_results import (
    IdentityScores,
    QueryResults,
    digest,
    load_queries,
    save_queries,
)


@pytest.fixture
def feature_set():
    """Six people before all six cameras, two images each; features know them a little."""
    random, rows = np.random.default_rng(3), []
    for person in range(1, 7):
        for camera in range(1, 7):
            if person == 6 and camera in (1, 2):
                continue  # nobody can find this one indoors
            rows += [(person, camera, index) for index in (1, 2)]
    ids, cameras, _ = np.array(rows).T
    features = np.eye(7)[ids] + random.standard_normal((len(ids), 7))
    names = [f'cam{c}/{p:04d}/{i:04d}.jpg' for p, c, i in rows]
    modalities = np.where(np.isin(cameras, (3, 6)), 'infrared', 'visible')
    return FeatureSet(features, ids, cameras, modalities, names)


@pytest.fixture
def report(feature_set):
    return evaluate(feature_set, SYSUProtocol(num_trials=3).settings(feature_set))


def test_single_queries_average_to_the_figures(report):
    for result in report.values():
        rank, precision = result.queries.first_rank, result.queries.average_precision
        for trial in range(3):
            valid = rank[trial] > 0
            assert valid.sum() == result.num_valid_queries[trial]
            assert (rank[trial][valid] == 1).mean() == pytest.approx(result.cmc[trial, 0])
            assert precision[trial][valid].mean() == pytest.approx(result.mAP[trial])


def test_sums_of_identities_are_those_of_a_loop(report):
    queries = report['sysu/indoor-1shot'].queries
    scores = queries.by_identity('sysu/indoor-1shot')
    assert scores.ids.tolist() == [1, 2, 3, 4, 5]  # the sixth has no match
    for trial in range(3):
        for column, person in enumerate(scores.ids):
            mine = [
                q
                for q in range(len(queries.names))
                if queries.person_ids[q] == person and queries.first_rank[trial, q] > 0
            ]
            assert scores.queries[trial, column] == len(mine)
            assert scores.R1[trial, column] == sum(queries.first_rank[trial, q] == 1 for q in mine)
            total = sum(queries.average_precision[trial, q] for q in mine)
            assert scores.mAP[trial, column] == pytest.approx(total)
    expected = 100 * report['sysu/indoor-1shot'].mAP.mean()
    assert scores.figure('mAP') == pytest.approx(expected)


def test_a_file_gives_back_what_was_written(report, tmp_path):
    queries = {name: result.queries for name, result in report.items()}
    save_queries(queries, tmp_path / 'q.npz', dict(protocol='sysu', distance='cosine'))
    loaded, source = load_queries(tmp_path / 'q.npz')
    assert source == dict(protocol='sysu', distance='cosine')
    assert [*loaded] == [*queries]
    for name, result in queries.items():
        assert loaded[name].galleries == result.galleries
        for key in ('names', 'person_ids', 'first_rank'):
            np.testing.assert_array_equal(getattr(loaded[name], key), getattr(result, key))
        np.testing.assert_allclose(
            loaded[name].average_precision, result.average_precision, atol=1e-7
        )


def test_galleries_and_queries_have_digests_of_their_own(feature_set, report):
    assert len({result.queries.galleries for result in report.values()}) == 4
    other = evaluate(feature_set, SYSUProtocol(num_trials=2).settings(feature_set))
    name = 'sysu/all-1shot'
    assert other[name].queries.galleries != report[name].queries.galleries
    asked = {name: result.queries.by_identity(name).asked for name, result in report.items()}
    assert len(set(asked.values())) == 1  # both modes ask the same images
    relabelled = QueryResults(
        **dict(vars(report[name].queries), person_ids=report[name].queries.person_ids + 1)
    )
    assert relabelled.by_identity(name).asked != asked[name]


def test_a_dict_keeps_means_over_trials(report):
    scores = report['sysu/all-1shot'].queries.by_identity('sysu/all-1shot')
    copy = IdentityScores.from_dict(scores.to_dict())
    assert (copy.setting, copy.asked, copy.galleries) == (
        scores.setting,
        scores.asked,
        scores.galleries,
    )
    np.testing.assert_allclose(copy.R1[0], scores.R1.mean(axis=0), atol=5e-4)
    assert copy.figure('R1') == pytest.approx(scores.figure('R1'), abs=0.01)


def test_a_digest_tells_lists_apart():
    lists = [[['a', 'b']], [['b', 'a']], [['a'], ['b']], [['ab']]]
    assert len({digest(names) for names in lists}) == 4


def test_another_file_is_refused(feature_set, tmp_path):
    feature_set.save(tmp_path / 'features.npz')
    (tmp_path / 'text.npz').write_text('no')
    for name in ('features.npz', 'text.npz'):
        with pytest.raises(ValueError, match=f'{name}, expected the results of single queries'):
            load_queries(tmp_path / name)
    with pytest.raises(FileNotFoundError, match='is not a file'):
        load_queries(tmp_path / 'nothing.npz')
