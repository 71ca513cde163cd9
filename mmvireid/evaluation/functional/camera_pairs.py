"""Which cameras fail before which: retrieval among the gallery images of one camera."""

from dataclasses import dataclass, replace

import numpy as np

from mmvireid.evaluation.feature_set import FeatureSet
from mmvireid.evaluation.functional.retrieval import evaluate
from mmvireid.evaluation.protocols import RetrievalSetting


@dataclass(frozen=True)
class CameraPairs:
    """Queries of each camera among the gallery images of each camera.

    Args:
        query_cameras: Their numbers, ascending, shape (Q,).
        gallery_cameras: Their numbers, ascending, shape (G,).
        asked: Queries with an admissible match there, over all trials, shape (Q, G).
        right: How many of them have it at the first rank, shape (Q, G).
    """

    query_cameras: np.ndarray
    gallery_cameras: np.ndarray
    asked: np.ndarray
    right: np.ndarray

    @property
    def R1(self) -> np.ndarray:
        """Rank 1 in percent, NaN where nobody was asked, shape (Q, G)."""
        with np.errstate(invalid='ignore'):
            return 100 * self.right / self.asked


def camera_pairs(
    feature_set: FeatureSet, setting: RetrievalSetting, distance: str = 'cosine'
) -> CameraPairs:
    """Evaluate a setting with the part of its galleries that one camera has taken, for each camera.

    A smaller gallery is easier than a whole one: the figures are to be compared with each other.

    Args:
        feature_set: Features of all images.
        setting: What is asked; what it excludes stays excluded.
        distance: As in :func:`~mmvireid.evaluation.functional.evaluate`.

    Returns:
        Counts over all trials.
    """
    cameras, names = feature_set.camera_ids, feature_set.names
    asking = np.unique(cameras[setting.all_queries])
    shown = np.unique(cameras[np.concatenate(setting.galleries)])
    settings = {number: _of_camera(feature_set, setting, number) for number in shown}
    settings = {number: part for number, part in settings.items() if part is not None}
    report = evaluate(feature_set, list(settings.values()), distance) if settings else {}
    camera_of = dict(zip(names, cameras))
    asked = np.zeros((len(asking), len(shown)), np.int64)
    right = np.zeros_like(asked)
    for number, part in settings.items():
        queries = report[part.name].queries
        rows = np.searchsorted(asking, [camera_of[name] for name in queries.names])
        column = np.searchsorted(shown, number)
        np.add.at(asked[:, column], rows, (queries.first_rank > 0).sum(axis=0))
        np.add.at(right[:, column], rows, (queries.first_rank == 1).sum(axis=0))
    return CameraPairs(asking, shown, asked, right)


def _of_camera(
    feature_set: FeatureSet, setting: RetrievalSetting, camera: int
) -> RetrievalSetting | None:
    """A setting with the gallery images of one camera; ``None`` if that has no match for anyone.

    Trials without any are left out.
    """
    trials = []
    for queries, gallery in zip(setting.queries, setting.galleries):
        gallery = gallery[feature_set.camera_ids[gallery] == camera]
        ids = feature_set.person_ids
        matches = ids[queries][:, None] == ids[gallery]
        if setting.excluded is not None:
            matches &= ~setting.excluded(feature_set, queries, gallery)
        if matches.any():
            trials.append((queries, gallery))
    if not trials:
        return None
    queries, galleries = zip(*trials)
    return replace(setting, name=f'{setting.name}/{camera}', queries=queries, galleries=galleries)
