"""Protocol settings applied to features: the whole of evaluation, without a Runner."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn.functional import normalize

from mmvireid.evaluation.feature_set import FeatureSet
from mmvireid.evaluation.functional.ranking import GalleryScorer, QueryScores
from mmvireid.evaluation.functional.reranking import k_reciprocal_distance
from mmvireid.evaluation.protocols.retrieval_setting import RetrievalSetting
from mmvireid.utils.distances import pairwise_distance

DISTANCES = ('cosine', 'euclidean')
# One product of BLOCK queries, ranked in pieces that fit a core's cache.
BLOCK, PIECE = 512, 32
# A distance matrix of up to this many entries (256 MiB) is kept for the opposite direction.
MAX_KEPT = 2**26


@dataclass(frozen=True)
class SettingResult:
    """What one protocol setting gave; fractions, one entry per trial.

    Args:
        cmc: Share of queries whose first match is among the first r ranks, r = 1 ... R,
            shape (T, R). R is at most the number of ranks that exist, where CMC is 1.
        mAP: Mean average precision, shape (T,).
        mINP: Mean inverse negative penalty, shape (T,).
        num_valid_queries: Queries with an admissible match; only these are averaged, shape (T,).
        num_dropped_queries: The other queries, shape (T,).
    """

    cmc: np.ndarray
    mAP: np.ndarray  # noqa: N815
    mINP: np.ndarray  # noqa: N815
    num_valid_queries: np.ndarray
    num_dropped_queries: np.ndarray

    def rank(self, rank: int) -> np.ndarray:
        """CMC at a 1-based rank, shape (T,)."""
        return self.cmc[:, min(rank, self.cmc.shape[1]) - 1]


Report = dict[str, SettingResult]


def evaluate(
    feature_set: FeatureSet,
    settings: Sequence[RetrievalSetting],
    distance: str = 'cosine',
    rerank: bool = False,
    max_rank: int | None = 20,
) -> Report:
    """Evaluate features in every given setting of a protocol.

    Settings that ask the same queries about the same candidates share one sorting, opposite
    directions share one matrix product. Averages are float64 and do not depend on the number of
    threads (as many as PyTorch uses).

    Args:
        feature_set: Features of every query and candidate.
        settings: What to ask, from one of the protocols.
        distance: ``'cosine'`` or ``'euclidean'`` (of the features as they are).
        rerank: Whether to re-rank by :func:`k_reciprocal_distance`. The new distances depend on
            the gallery, so this costs a full re-ranking *per setting and trial*.
        max_rank: Length of the CMC, ``None`` for all ranks.

    Returns:
        One result per setting, keyed by its name.

    Raises:
        ValueError: If ``distance`` is unknown, or no query of a setting has a match.
    """
    if distance not in DISTANCES:
        raise ValueError(f'evaluate: `distance` is {distance!r}, expected one of {DISTANCES}.')
    features = torch.from_numpy(feature_set.features)
    if distance == 'cosine':
        features = normalize(features)
    report = {}
    for setting, scores in (_reranked if rerank else _ranked)(
        feature_set, settings, features, distance
    ):
        report[setting.name] = _summarise(feature_set, setting, scores, max_rank)
    return {setting.name: report[setting.name] for setting in settings}


def chance_level(feature_set: FeatureSet, settings: Sequence[RetrievalSetting]) -> Report:
    """The same settings on random features: what a model that sees nothing would score.

    Args:
        feature_set: Its metadata is used, its features are not.
        settings: As in :func:`evaluate`.

    Returns:
        As :func:`evaluate`; the same for the same metadata, since the seed is fixed.
    """
    noise = np.random.default_rng(0).standard_normal((len(feature_set), 64))
    return evaluate(replace(feature_set, features=noise, flip_features=None), settings)


def fuse_flip(feature_set: FeatureSet) -> FeatureSet:
    """Features that add every image to its mirror image: the sum of both, each of length one.

    Args:
        feature_set: With ``flip_features``.

    Returns:
        The feature set with fused ``features`` of length one.

    Raises:
        ValueError: If there are no flip features.
    """
    if feature_set.flip_features is None:
        raise ValueError(
            'fuse_flip: `flip_features` is None, expected features of the mirrored images. '
            'Extract them too, or leave flip out.'
        )
    both = (feature_set.features, feature_set.flip_features)
    fused = normalize(sum(normalize(torch.from_numpy(features)) for features in both))
    return replace(feature_set, features=fused.numpy(), flip_features=None)


def _distance(x: torch.Tensor, y: torch.Tensor, distance: str) -> np.ndarray:
    """Distance matrix for ranking only: any increasing function of the distance will do."""
    if distance == 'cosine':
        return (x @ y.T).neg_().numpy()
    return pairwise_distance(x, y, squared=True).numpy()


def _ranked(
    feature_set: FeatureSet,
    settings: Sequence[RetrievalSetting],
    features: torch.Tensor,
    distance: str,
) -> Iterator[tuple[RetrievalSetting, QueryScores]]:
    groups = {}
    for setting in settings:
        key = (setting.all_queries.tobytes(), setting.candidates.tobytes(), setting.excluded)
        groups.setdefault(key, []).append(setting)
    kept = {}
    for (query_key, candidate_key, _), group in groups.items():
        queries, candidates = group[0].all_queries, group[0].candidates
        matrix = kept.pop((candidate_key, query_key), None)
        if matrix is not None:
            blocks = (matrix.T[start : start + BLOCK] for start in range(0, len(queries), BLOCK))
        else:
            gallery = features[candidates]
            blocks = (_distance(features[rows], gallery, distance) for rows in _cut(queries, BLOCK))
            ...
