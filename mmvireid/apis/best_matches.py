"""A query's first neighbours, as pictures of an evaluation show them."""

import numpy as np
import torch

from mmvireid.distances import unit_rows
from mmvireid.evaluation import FeatureSet, RetrievalSetting


def best_matches(
    features: FeatureSet, setting: RetrievalSetting, query: int, count: int
) -> np.ndarray:
    """Rows of a query's best matches in the first trial's gallery, by cosine similarity.

    Args:
        features: Features of all images.
        setting: What is asked.
        query: Row of the query.
        count: At most how many.

    Returns:
        Rows, best first, shape (K,); what the setting excludes is not among them.
    """
    gallery = setting.galleries[0]
    unit = unit_rows(torch.from_numpy(features.features[gallery]))
    asked = unit_rows(torch.from_numpy(features.features[query][None]))[0]
    similarity = (unit @ asked).numpy()
    if setting.excluded is not None:
        similarity[setting.excluded(features, np.array([query]), gallery)[0]] = -np.inf
    order = np.argsort(-similarity, kind='stable')
    return gallery[order[: min(count, np.isfinite(similarity).sum())]]
