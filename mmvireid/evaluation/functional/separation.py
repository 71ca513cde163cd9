"""How well features hold people apart, beyond what retrieval figures tell."""

from dataclasses import dataclass

import numpy as np
import torch

from mmvireid.distances import pairwise_distance, unit_rows
from mmvireid.errors import InvalidValueError
from mmvireid.evaluation.feature_set import FeatureSet
from mmvireid.structures import INFRARED, VISIBLE

# Rows of a distance matrix that are in memory at a time.
BLOCK = 512
# Features of length one are at most this far apart.
MAX_DISTANCE = 2.0


@dataclass(frozen=True)
class DistanceHistograms:
    """Distances of pairs of images, those of one identity and those of two.

    Args:
        edges: Edges of the bins, shape (B + 1,).
        same: Number of pairs of one identity in every bin, shape (B,).
        different: Number of pairs of two identities in every bin, shape (B,).
        same_mean: Mean distance of the pairs of one identity, from the distances themselves.
        different_mean: Mean distance of the pairs of two identities.
    """

    edges: np.ndarray
    same: np.ndarray
    different: np.ndarray
    same_mean: float
    different_mean: float

    @property
    def delta(self) -> float:
        """How much farther apart two people are than two images of one, on average."""
        return self.different_mean - self.same_mean


def cross_modality_histograms(feature_set: FeatureSet, num_bins: int = 100) -> DistanceHistograms:
    """Count the distances of all pairs of a visible and an infrared image.

    As :func:`distance_histograms` of the two modalities.
    """
    return distance_histograms(feature_set, INFRARED, VISIBLE, num_bins)


def distance_histograms(
    feature_set: FeatureSet, first: str, second: str, num_bins: int = 100
) -> DistanceHistograms:
    """Count the Euclidean distances of all pairs of images of two modalities.

    Features are L2-normalised first, so distances are in [0, 2] and rank like the cosine. Every
    pair counts once, also where a protocol excludes it; an image is no pair with itself. Memory
    does not grow with the pairs.

    Args:
        feature_set: Features of both modalities.
        first: ``'visible'`` or ``'infrared'``.
        second: The same or the other modality.
        num_bins: Number of equal bins over [0, 2].

    Returns:
        Counts and means of both kinds of pairs.

    Raises:
        ValueError: If there is no pair of one of the kinds.
    """
    features, ids = unit_rows(torch.from_numpy(feature_set.features)), feature_set.person_ids
    rows, columns = (np.flatnonzero(feature_set.modalities == m) for m in (first, second))
    others, other_ids = features[columns], ids[columns]
    counts = np.zeros((2, num_bins), np.int64)
    totals = np.zeros(2)
    for block in np.split(rows, range(BLOCK, len(rows), BLOCK)):
        distances = pairwise_distance(features[block], others, eps=0).numpy()
        same = ids[block][:, None] == other_ids
        counted = block[:, None] < columns if first == second else True
        for kind, pairs in enumerate((same & counted, ~same & counted)):
            values = distances[pairs].clip(max=MAX_DISTANCE)  # rounding goes a little beyond
            counts[kind] += np.histogram(values, num_bins, (0, MAX_DISTANCE))[0]
            totals[kind] += values.sum(dtype=np.float64)
    if not counts.any(axis=1).all():
        kind = 'the same identity' if counts[1].any() else 'different identities'
        raise InvalidValueError(
            f'distance_histograms: `feature_set` has no pair of {first} and {second} images of '
            f'{kind}, expected at least two identities, one of them with such a pair.'
        )
    means = totals / counts.sum(axis=1)
    edges = np.linspace(0, MAX_DISTANCE, num_bins + 1)
    return DistanceHistograms(edges, *counts, *means.tolist())


@dataclass(frozen=True)
class MeanSimilarity:
    """Mean cosine similarities of pairs of two images.

    Args:
        same: Mean over the pairs of one identity, in [-1, 1].
        different: Mean over the pairs of two identities, in [-1, 1].
    """

    same: float
    different: float


def mean_similarity(feature_set: FeatureSet, first: str, second: str) -> MeanSimilarity:
    r"""Average the cosine similarity over all pairs of images of two modalities.

    With unit features x, of identities y, the mean over the pairs of one identity is

    .. math::
        \frac{1}{|\mathcal{P}|} \sum_{(i, j) \in \mathcal{P}} x_i^\top x_j, \quad
        \mathcal{P} = \{(i, j): i \in \text{first},\ j \in \text{second},\ i \neq j,\ y_i = y_j\}

    Every pair counts once, whatever its cameras, so that an identity weighs as many pairs as it
    has. A sum of inner products is an inner product of sums: no pair is formed, and time and
    memory grow with the images.

    Source: the intra-class cosine similarity (ICCS) of AlignGAN (Wang et al., ICCV 2019), Table 1,
    which does not say what it averages.

    Args:
        feature_set: Features of both modalities.
        first: ``'visible'`` or ``'infrared'``.
        second: The same or the other modality.

    Returns:
        The means of both kinds of pairs, equal for (first, second) and (second, first).

    Raises:
        ValueError: If there is no pair of one of the kinds.
    """
    ids, labels = np.unique(feature_set.person_ids, return_inverse=True)
    sums, counts = [], []
    for modality in (first, second):
        rows = np.flatnonzero(feature_set.modalities == modality)
        unit = unit_rows(torch.from_numpy(feature_set.features[rows]).double())
        total = unit.new_zeros(len(ids), unit.shape[1])
        sums.append(total.index_add_(0, torch.from_numpy(labels[rows]), unit))
        counts.append(np.bincount(labels[rows], minlength=len(ids)))
    same, num_same = (sums[0] * sums[1]).sum().item(), counts[0] @ counts[1]
    different = (sums[0].sum(0) @ sums[1].sum(0)).item() - same
    num_different = counts[0].sum() * counts[1].sum() - num_same
    if first == second:  # an image is no pair with itself
        same, num_same = same - unit.square().sum().item(), num_same - len(unit)
    if not (num_same and num_different):
        kind = 'different identities' if num_same else 'the same identity'
        raise InvalidValueError(
            f'mean_similarity: `feature_set` has no pair of {first} and {second} images of '
            f'{kind}, expected at least two identities, one of them with such a pair.'
        )
    return MeanSimilarity(float(same / num_same), float(different / num_different))
