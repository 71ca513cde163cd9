"""Protocol settings applied to features: the whole of evaluation, without a Runner."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from hashlib import blake2b

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from mmvireid.distances import pairwise_distance, power_of_two_scale, unit_rows
from mmvireid.errors import InvalidValueError
from mmvireid.evaluation.feature_set import FeatureSet
from mmvireid.evaluation.functional.ranking import GalleryScorer, QueryScores
from mmvireid.evaluation.functional.reranking import (
    affinity_distance,
    k_reciprocal_distance,
    name_reranking,
)
from mmvireid.evaluation.protocols.retrieval_setting import (
    RetrievalSetting,
    check_choices,
    check_positive,
)
from mmvireid.evaluation.query_results import QueryResults, digest
from mmvireid.evaluation.report import Report, SettingResult

DISTANCES = ('cosine', 'euclidean')
#: What is added of an image and its mirror image: features of length one, or as they are.
FLIP_SUMS = ('unit', 'raw')
# One product of BLOCK queries, ranked in pieces that fit a core's cache.
BLOCK, PIECE = 512, 64
# A distance matrix of up to this many entries (64 MiB) is kept for the opposite direction.
MAX_KEPT = 2**24
# The largest entry of one feature over that of another, beyond which squares leave float32.
MAX_RATIO = 2.0**50
# Share of neighbours in a ranking that are equally far away, above which a warning is due. By
# chance, float32 distances of some thousand candidates have less than a thousandth.
MANY_TIES = 0.01


def evaluate(
    feature_set: FeatureSet,
    settings: Sequence[RetrievalSetting],
    distance: str = 'cosine',
    rerank: bool | str = False,
    max_rank: int | None = 20,
) -> Report:
    """Evaluate features in every given setting of a protocol.

    Settings that ask the same queries about the same candidates share one sorting, opposite
    directions share one matrix product. Averages are float64. Ranking uses as many threads as
    PyTorch does; their number does not change it.

    Candidates at the same distance are ranked by lot: a hash of both images' names, so that the
    same images give the same figures in any order. Figures then are those of a random order, whose
    level is that of chance where all are equal; more than ``MANY_TIES`` of them is worth a warning.
    Figures do not depend on the scale of the features, as far as float32 can hold them.

    Args:
        feature_set: Features of every query and candidate.
        settings: What to ask, from one of the protocols.
        distance: ``'cosine'`` (a feature of zeros is equally far from all) or ``'euclidean'`` (of
            the features as they are).
        rerank: Whether to re-rank, by ``'k-reciprocal'`` (:func:`k_reciprocal_distance`, also
            ``True``) or ``'aim'`` (:func:`affinity_distance`, which compares directions whatever
            ``distance`` is). The new distances depend on the gallery, so this costs a full
            re-ranking *per setting and trial*.
        max_rank: Length of the CMC, ``None`` for all ranks.

    Returns:
        One result per setting, keyed by its name.

    Raises:
        ValueError, TypeError: If an argument is not allowed, no query of a setting has a match, or
            Euclidean distances of features of very different lengths are asked for.
    """
    check_choices('evaluate', 'distance', [distance], DISTANCES)
    if max_rank is not None:
        check_positive('evaluate', 'max_rank', max_rank)
    reranking = name_reranking('evaluate', rerank)
    score = partial(_score_reranked, reranking) if reranking else _score
    report = {
        setting.name: _average(feature_set, setting, trials, max_rank, tied_share)
        for setting, trials, tied_share in score(feature_set, settings, distance)
    }
    _warn_of_ties(report)
    return {setting.name: report[setting.name] for setting in settings}


def _warn_of_ties(report: Report) -> None:
    tied = {name: result.tied_share.max() for name, result in report.items()}
    tied = {name: share for name, share in tied.items() if share > MANY_TIES}
    if tied:
        shares = ', '.join(f'{100 * share:.1f} % of {name}' for name, share in tied.items())
        print_log(
            f'Many distances are equal: {shares}. Their order is drawn by lot. Are features '
            'constant, zero, saturated or coarsely rounded?',
            'current',
            logging.WARNING,
        )


def chance_level(
    feature_set: FeatureSet, settings: Sequence[RetrievalSetting], max_rank: int | None = 20
) -> Report:
    """The same settings on random features: what a model that sees nothing would score.

    Args:
        feature_set: Its metadata is used, its features are not.
        settings: As in :func:`evaluate`.
        max_rank: As there.

    Returns:
        As :func:`evaluate`; the same for the same metadata, since the seed is fixed.
    """
    noise = np.random.default_rng(0).standard_normal((len(feature_set), 64))
    feature_set = replace(feature_set, features=noise, flip_features=None)
    return evaluate(feature_set, settings, max_rank=max_rank)


def fuse_flip(feature_set: FeatureSet, flip_sum: str = 'unit') -> FeatureSet:
    """Features that add every image to its mirror image.

    Args:
        feature_set: With ``flip_features``.
        flip_sum: ``'unit'`` adds directions: each of the two has the length one, and so has the
            result. ``'raw'`` adds them as they are, so that the longer one counts more.

    Returns:
        The feature set with fused ``features``.

    Raises:
        ValueError: If there are no flip features, or ``flip_sum`` is neither.
    """
    check_choices('fuse_flip', 'flip_sum', [flip_sum], FLIP_SUMS)
    if feature_set.flip_features is None:
        raise InvalidValueError(
            'fuse_flip: `flip_features` is None, expected features of the mirrored images. '
            'Extract them too, or leave flip out.'
        )
    both = [torch.from_numpy(f) for f in (feature_set.features, feature_set.flip_features)]
    fused = unit_rows(sum(map(unit_rows, both))) if flip_sum == 'unit' else sum(both)
    return replace(feature_set, features=fused.numpy(), flip_features=None)


class _Distances:
    """Distance matrices in blocks of queries; a small one is kept for the opposite direction.

    They are finite, whatever finite features there are: those are of length one for the cosine,
    and are brought to values below one by a common power of two, which is exact, for Euclid's.
    """

    def __init__(self, feature_set: FeatureSet, distance: str) -> None:
        self.feature_set = feature_set
        self.distance = distance
        self.scale = _common_scale(feature_set) if distance == 'euclidean' else None
        self.kept = {}

    def take(self, rows: np.ndarray) -> Tensor:
        """Features of some rows, a copy, ready for a product."""
        features = torch.from_numpy(self.feature_set.features[rows])
        if self.scale is None:
            return unit_rows(features, out=features)
        return features.mul_(self.scale)

    def blocks(self, queries: np.ndarray, candidates: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the rows of the (Nq, Nc) matrix, BLOCK at a time, for ranking only."""
        opposite = self.kept.pop((candidates.tobytes(), queries.tobytes()), None)
        if opposite is not None:
            for start in range(0, len(queries), BLOCK):
                yield np.ascontiguousarray(opposite[:, start : start + BLOCK].T)
            return
        cosine = self.distance == 'cosine'
        gallery, blocks = self.take(candidates), []
        if cosine:
            gallery.neg_()  # so that the product grows with the distance
        keep = len(queries) * len(candidates) <= MAX_KEPT
        for start in range(0, len(queries), BLOCK):
            x = self.take(queries[start : start + BLOCK])
            block = x @ gallery.T if cosine else pairwise_distance(x, gallery, True, eps=0)
            block = block.numpy()
            blocks += [block] * keep
            yield block
        if keep:
            self.kept[queries.tobytes(), candidates.tobytes()] = np.concatenate(blocks)


def _common_scale(feature_set: FeatureSet) -> Tensor:
    """The power of two that brings all features below one.

    Raises:
        ValueError: If their lengths are so different that float32 cannot hold all distances.
    """
    features = torch.from_numpy(feature_set.features)
    largest = torch.linalg.vector_norm(features, torch.inf, dim=1).numpy()
    at, low = largest.argmax(), np.where(largest > 0, largest, np.inf).argmin()
    if largest[low] < largest[at] / MAX_RATIO:
        raise InvalidValueError(
            f'evaluate: `feature_set` has features of very different lengths (up to '
            f'{largest[at]:.1e} of {feature_set.names[at]}, {largest[low]:.1e} of '
            f'{feature_set.names[low]}), of which float32 cannot hold all Euclidean distances, '
            "expected one scale. Cosine distances have no scale (distance='cosine')."
        )
    return power_of_two_scale(torch.tensor(largest[at]))


def _score(
    feature_set: FeatureSet,
    settings: Sequence[RetrievalSetting],
    distance: str,
) -> Iterator[tuple[RetrievalSetting, list[QueryScores], float]]:
    """Yield every setting with the scores of each trial and the share of ties."""
    groups = {}
    for setting in settings:
        rows = setting.all_queries.tobytes(), setting.candidates.tobytes()
        key = *rows, setting.excluded, setting.rank_by
        groups.setdefault(key, []).append(setting)
    distances = _Distances(feature_set, distance)
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for group in groups.values():
            scores, tied_share = _score_group(feature_set, group, distances, pool)
            first = 0
            for setting in group:
                columns = [np.searchsorted(group[0].all_queries, rows) for rows in setting.queries]
                trials = [scores.select(first + t, c) for t, c in enumerate(columns)]
                yield setting, trials, tied_share
                first += len(columns)


def _score_group(
    feature_set: FeatureSet,
    group: Sequence[RetrievalSetting],
    distances: _Distances,
    pool: ThreadPoolExecutor,
) -> tuple[QueryScores, float]:
    """Score settings that differ in their galleries only, all trials one after another."""
    queries, candidates = group[0].all_queries, group[0].candidates
    galleries = [rows for setting in group for rows in setting.galleries]
    scorer = _scorer(feature_set, candidates, galleries, group[0].rank_by)
    ask = partial(_ask, feature_set, scorer, group[0], candidates)
    parts, start = [], 0
    for block in distances.blocks(queries, candidates):
        starts = range(0, len(block), PIECE)
        rows = [queries[start + at : start + at + PIECE] for at in starts]
        parts += pool.map(ask, rows, [block[at : at + PIECE] for at in starts])
        start += len(block)
    return QueryScores.concatenate(parts), scorer.num_tied / max(scorer.num_neighbours, 1)


def _score_reranked(
    reranking: str,
    feature_set: FeatureSet,
    settings: Sequence[RetrievalSetting],
    distance: str,
) -> Iterator[tuple[RetrievalSetting, list[QueryScores], float]]:
    """As :func:`_score`; Euclidean and cosine differ by the normalisation of the features."""
    take = _Distances(feature_set, distance).take
    for setting in settings:
        trials, tied, neighbours = [], 0, 0
        for queries, gallery in zip(setting.queries, setting.galleries):
            features = take(queries), take(gallery)
            if reranking == 'aim':
                reranked = affinity_distance(*features, *setting.aim_neighbours)
            else:
                reranked = k_reciprocal_distance(*features)
            scorer = _scorer(feature_set, gallery, [gallery], setting.rank_by)
            scores = _ask(feature_set, scorer, setting, gallery, queries, reranked)
            trials.append(scores.select(0, np.arange(len(queries))))
            tied, neighbours = tied + scorer.num_tied, neighbours + scorer.num_neighbours
        yield setting, trials, tied / max(neighbours, 1)


def _scorer(
    feature_set: FeatureSet, candidates: np.ndarray, galleries: Sequence[np.ndarray], rank_by: str
) -> GalleryScorer:
    column = np.empty(len(feature_set), np.int64)
    column[candidates] = np.arange(len(candidates))
    columns = [column[rows] for rows in galleries]
    ids, lots = feature_set.person_ids[candidates], _draw_lots(feature_set.names[candidates])
    return GalleryScorer(ids, columns, rank_by, lots)


def _draw_lots(names: np.ndarray) -> np.ndarray:
    """A number per image that decides ties: random, but always the same, uint32, shape (N,)."""
    digests = (blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=4) for name in names)
    return np.frombuffer(b''.join(digest.digest() for digest in digests), np.uint32)


def _ask(
    feature_set: FeatureSet,
    scorer: GalleryScorer,
    setting: RetrievalSetting,
    candidates: np.ndarray,
    queries: np.ndarray,
    distance: np.ndarray,
) -> QueryScores:
    """Score a piece of queries under the setting's exclusion rule."""
    if setting.excluded is not None:
        excluded = setting.excluded(feature_set, queries, candidates)
        distance = np.where(excluded, np.float32(np.inf), distance)
    lots = _draw_lots(feature_set.names[queries])
    return scorer(distance, feature_set.person_ids[queries], lots)


def _average(
    feature_set: FeatureSet,
    setting: RetrievalSetting,
    trials: Sequence[QueryScores],
    max_rank: int | None,
    tied_share: float,
) -> SettingResult:
    ids = feature_set.person_ids
    by_identity = setting.rank_by == 'identity'
    length = max(len(np.unique(ids[rows]) if by_identity else rows) for rows in setting.galleries)
    length = length if max_rank is None else min(length, max_rank)
    averages = []
    for scores in trials:
        valid = scores.first_rank > 0
        if not valid.any():
            raise InvalidValueError(
                f'evaluate: no query of setting {setting.name} has a match in its gallery, '
                'expected identities with admissible images of both modalities. Check the split, '
                'or leave this setting out.'
            )
        rank = scores.first_rank[valid]
        hits = np.bincount(np.minimum(rank, length + 1), minlength=length + 2)[1:-1]
        average_precision = scores.average_precision[valid].mean()
        penalty = scores.inverse_negative_penalty[valid].mean()
        cmc = hits.cumsum() / len(rank)
        counts = len(rank), len(valid) - len(rank)
        averages.append((cmc, average_precision, penalty, *counts, tied_share))
    columns = [np.array(values) for values in zip(*averages)]
    return SettingResult(*columns, _queries(feature_set, setting, trials))


def _queries(
    feature_set: FeatureSet, setting: RetrievalSetting, trials: Sequence[QueryScores]
) -> QueryResults:
    """Bring the queries of all trials into one table, sorted by their names."""
    rows, names = setting.all_queries, feature_set.names
    first_rank = np.zeros((len(trials), len(rows)), np.int64)
    average_precision = np.zeros(first_rank.shape)
    for trial, (queries, scores) in enumerate(zip(setting.queries, trials)):
        columns = np.searchsorted(rows, queries)
        first_rank[trial, columns] = scores.first_rank
        average_precision[trial, columns] = scores.average_precision
    galleries = digest([names[gallery] for gallery in setting.galleries])
    order = np.argsort(names[rows])
    rows, columns = rows[order], (slice(None), order)
    ids = feature_set.person_ids[rows]
    return QueryResults(
        names[rows], ids, first_rank[columns], average_precision[columns], galleries
    )
