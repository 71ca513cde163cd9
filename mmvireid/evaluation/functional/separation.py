"""How well features hold people apart, beyond what retrieval figures tell."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import normalize

from mmvireid.evaluation.feature_set import FeatureSet
from mmvireid.structures import VISIBLE
from mmvireid.utils.distances import pairwise_distance

# Rows of a distance matrix that are in memory at a time.
BLOCK = 512
# Features of length one are at most this far apart.
MAX_DISTANCE = 2.0


@dataclass(frozen=True)
class DistanceHistograms:
    """Distances of cross-modality pairs, those of one identity and those of two.

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
    """Count the Euclidean distances of all pairs of a visible and an infrared image.

    Features are L2-normalised first, so distances are in [0, 2] and rank like the cosine. No pair
    is left out, also where a protocol excludes some. Memory does not grow with the pairs.

    Args:
        feature_set: Features of both modalities.
        num_bins: Number of equal bins over [0, 2].

    Returns:
        Counts and means of both kinds of pairs.

    Raises:
        ValueError: If there is no pair of one of the kinds.
    """
    features = normalize(torch.from_numpy(feature_set.features))
    ids, visible = feature_set.person_ids, feature_set.modalities == VISIBLE
    gallery, gallery_ids = features[visible], ids[visible]
    counts = np.zeros((2, num_bins), np.int64)
    totals = np.zeros(2)
    rows = np.flatnonzero(~visible)
    for block in np.split(rows, range(BLOCK, len(rows), BLOCK)):
        distances = pairwise_distance(features[block], gallery, eps=0).numpy()
        same = ids[block][:, None] == gallery_ids
        for kind, pairs in enumerate((same, ~same)):
            values = distances[pairs].clip(max=MAX_DISTANCE)  # rounding goes a little beyond
            counts[kind] += np.histogram(values, num_bins, (0, MAX_DISTANCE))[0]
            totals[kind] += values.sum(dtype=np.float64)
    if not counts.any(axis=1).all():
        kind = 'the same identity' if counts[1].any() else 'different identities'
        raise ValueError(
            f'cross_modality_histograms: `feature_set` has no visible and infrared image of {kind}'
            ', expected at least two identities, one of them in both modalities.'
        )
    means = totals / counts.sum(axis=1)
    edges = np.linspace(0, MAX_DISTANCE, num_bins + 1)
    return DistanceHistograms(edges, *counts, *means.tolist())


def nearest_neighbors(features: np.ndarray) -> np.ndarray:
    """Find the most similar other row of every row, by the cosine.

    ``(labels[nearest_neighbors(features)] == labels).mean()`` is the leave-one-out accuracy of a
    1-nearest-neighbour classifier: whether a label can be read from the features.

    Args:
        features: At least two rows, shape (N, D).

    Returns:
        Row numbers, int64, shape (N,).

    Example:
        >>> nearest_neighbors(np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]))
        array([1, 0, 1])
    """
    features = normalize(torch.from_numpy(features))
    nearest = []
    for start in range(0, len(features), BLOCK):
        similarity = features[start : start + BLOCK] @ features.T
        similarity.diagonal(start).fill_(-np.inf)  # an image is no neighbour of its own
        nearest.append(similarity.argmax(dim=1))
    return torch.cat(nearest).numpy()
