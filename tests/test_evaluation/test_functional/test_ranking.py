import numpy as np
import pytest

from mmvireid.evaluation.functional.ranking import GalleryScorer, QueryScores, sort_keys


def test_keys_sort_like_a_stable_argsort():
    rng = np.random.default_rng(0)
    distance = rng.integers(-3, 4, (20, 300)).astype(np.float32) / 4
    distance[distance == 0] *= rng.choice([-1, 1], (distance == 0).sum())  # both zeros are equal
    distance[:, ::50] = np.inf
    distance[0, :6] = [1e-45, -1e-45, 3e38, -3e38, -np.inf, 1e-38]
    order = np.sort(sort_keys(distance), axis=1) & np.uint64(0xFFFFFFFF)
    np.testing.assert_array_equal(order, np.argsort(distance, axis=1, kind='stable'))


def test_lots_decide_ties_and_nothing_else():
    """By hand. A query's lot is combined with the candidates' by exclusive or."""
    distance = np.array([[0.5, 0.5, 0.1, 0.5], [0.5, 0.5, 0.9, 0.5]], np.float32)
    lots = np.array([3, 1, 0, 2]) << 20
    scorer = GalleryScorer(np.array([7, 8, 9, 6]), [np.arange(4)], 'image', lots)
    ranks = {person: scorer(distance, np.full(2, person)).first_rank[0] for person in (6, 7, 8, 9)}
    assert {k: v.tolist() for k, v in ranks.items()} == {6: [3, 2], 7: [4, 3], 8: [2, 1], 9: [1, 4]}
    query_lots = np.array([2, 3]) << 20  # with the lots 3 1 2 of equal candidates: 1 3 0 and 0 2 1
    ranks = {
        person: scorer(distance, np.full(2, person), query_lots).first_rank[0] for person in (7, 8)
    }
    assert {k: v.tolist() for k, v in ranks.items()} == {7: [3, 1], 8: [4, 3]}


def test_equal_neighbours_are_counted_without_those_that_are_left_out():
    distance = np.array([[1, 1, 2, 1, np.inf, np.inf], [1, 2, 3, 4, 5, np.inf]], np.float32)
    scorer = GalleryScorer(np.arange(6), [np.arange(6)])
    scorer(distance, np.array([0, 1]))
    assert (scorer.num_tied, scorer.num_neighbours) == (2, 3 + 4)
    scorer(np.full((1, 6), np.inf, np.float32), np.array([0]))
    assert (scorer.num_tied, scorer.num_neighbours) == (2, 3 + 4)


def test_hand_counted_example():
    """Ranked list: 8 7 7 9 8 | left out: 9 8. Matches of 7 at 2, 3; of 9 at 4; of 8 at 1, 5."""
    ids = np.array([7, 7, 8, 8, 9, 9, 8])
    distance = np.array([[0.2, 0.3, 0.1, 0.5, 0.4, np.inf, np.inf]], np.float32).repeat(4, axis=0)
    queries = np.array([7, 9, 8, 6])
    scores = GalleryScorer(ids, [np.arange(7)])(distance, queries)
    np.testing.assert_array_equal(scores.first_rank, [[2, 3, 1, 0]])
    by_image = GalleryScorer(ids, [np.arange(7)], rank_by='image')(distance, queries)
    np.testing.assert_array_equal(by_image.first_rank, [[2, 4, 1, 0]])
    ap = [(1 / 2 + 2 / 3) / 2, 1 / 4, (1 + 2 / 5) / 2, 0]
    np.testing.assert_allclose(scores.average_precision, [ap], rtol=1e-15)
    np.testing.assert_allclose(scores.inverse_negative_penalty, [[2 / 3, 1 / 4, 2 / 5, 0]])


def test_a_match_that_is_left_out_is_no_match():
    distance = np.array([[np.inf, 0.5, 0.2]], np.float32)
    scores = GalleryScorer(np.array([1, 2, 2]), [np.arange(3)])(distance, np.array([1]))
    assert scores.first_rank.item() == scores.average_precision.item() == 0


@pytest.mark.parametrize('num_candidates', [3, 250, 70_000])
def test_a_gallery_is_scored_as_if_it_were_alone(num_candidates):
    """Also beyond the sizes where counts need another integer type."""
    rng = np.random.default_rng(num_candidates)
    ids = rng.integers(0, 5, num_candidates)
    sizes = [1, num_candidates // 2 + 1, num_candidates, *rng.integers(1, num_candidates, 20)]
    galleries = [np.sort(rng.choice(num_candidates, size, replace=False)) for size in sizes]
    distance = rng.standard_normal((6, num_candidates)).astype(np.float32)
    distance[rng.random(distance.shape) < 0.2] = np.inf
    query_ids = np.array([0, 1, 2, 3, 4, 9])
    together = GalleryScorer(ids, galleries)(distance, query_ids)
    by_image = GalleryScorer(ids, galleries, rank_by='image')(distance, query_ids)
    for trial, rows in enumerate(galleries):
        alone = GalleryScorer(ids[rows], [np.arange(len(rows))])(distance[:, rows], query_ids)
        for key, value in vars(alone).items():
            np.testing.assert_allclose(getattr(together, key)[trial], value[0], rtol=1e-15)
        for query, query_id in enumerate(query_ids):
            ranked = rows[np.argsort(distance[query, rows], kind='stable')]
            ranked = ids[ranked[np.isfinite(distance[query, ranked])]]
            places = np.flatnonzero(ranked == query_id)
            first = places[0] + 1 if places.size else 0
            assert by_image.first_rank[trial, query] == first
            if first:
                assert together.first_rank[trial, query] == len(set(ranked[:first].tolist()))
                expected = np.mean(np.arange(1, places.size + 1) / (places + 1))
                assert together.average_precision[trial, query] == pytest.approx(expected)


def test_blocks_join_along_the_queries():
    rng = np.random.default_rng(0)
    scorer = GalleryScorer(np.arange(9) % 3, [np.arange(9), np.arange(4)])
    distance, ids = rng.standard_normal((5, 9)).astype(np.float32), np.array([0, 1, 2, 0, 1])
    whole = scorer(distance, ids)
    joined = QueryScores.concatenate([scorer(distance[:2], ids[:2]), scorer(distance[2:], ids[2:])])
    for key, value in vars(whole).items():
        np.testing.assert_array_equal(getattr(joined, key), value)
        np.testing.assert_array_equal(getattr(whole.select(1, [3]), key), value[1, 3:4])
