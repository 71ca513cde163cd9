"""Features in two dimensions."""

from collections.abc import Callable

import numpy as np
import torch

from mmvireid.distances import unit_rows
from mmvireid.errors import InvalidValueError, from_extra
from mmvireid.evaluation import FeatureSet

#: t-SNE of fewer points says nothing.
MIN_POINTS = 4


def choose_rows(feature_set: FeatureSet, num_ids: int, max_points: int, seed: int) -> np.ndarray:
    """Draw identities, and of their images as many as may be drawn.

    Args:
        feature_set: What is known about the images.
        num_ids: Identities, at least 1; all of them if there are fewer.
        max_points: Images, at least 1.
        seed: Seed of the draw.

    Returns:
        Ascending row numbers, (R,).
    """
    rng = np.random.default_rng(seed)
    ids = np.unique(feature_set.person_ids)
    ids = rng.choice(ids, min(num_ids, len(ids)), replace=False)
    rows = np.flatnonzero(np.isin(feature_set.person_ids, ids))
    return np.sort(rng.choice(rows, min(max_points, len(rows)), replace=False))


def tsne(seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """scikit-learn's t-SNE of L2-normalised features, (N, D) -> (N, 2).

    Args:
        seed: Its random state.

    Returns:
        The embedding; it raises ValueError for fewer than four features.

    Raises:
        RuntimeError: If scikit-learn is missing, so that this is known before any long work.
    """
    with from_extra('tsne', 'scikit-learn', 'analysis'):
        from sklearn.manifold import TSNE

    def embed(features: np.ndarray) -> np.ndarray:
        if len(features) < MIN_POINTS:
            raise InvalidValueError(
                f'tsne: `features` has {len(features)} rows, expected at least {MIN_POINTS}. '
                'Draw more images.'
            )
        perplexity = min(30, (len(features) - 1) / 3)
        unit = unit_rows(torch.from_numpy(features)).numpy()
        return TSNE(perplexity=perplexity, random_state=seed).fit_transform(unit)

    return embed
