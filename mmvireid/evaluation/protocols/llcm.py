"""LLCM: sampled galleries, a person is never looked for in the camera of the query."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mmvireid.evaluation.feature_set import FeatureSet
from mmvireid.evaluation.protocols.base_protocol import BaseProtocol
from mmvireid.evaluation.protocols.gallery_sampling import folders, seeded_gallery, sorted_rows
from mmvireid.evaluation.protocols.retrieval_setting import (
    RetrievalSetting,
    check_choices,
    check_positive,
)
from mmvireid.registry import PROTOCOLS
from mmvireid.structures import INFRARED, VISIBLE

LEGACY = 'visible-to-infrared-legacy'


@PROTOCOLS.register_module()
@dataclass(frozen=True)
class LLCMProtocol(BaseProtocol):
    """Settings of LLCM, named such as ``'llcm/infrared-to-visible'`` (query to gallery).

    All test images of one modality ask; the gallery has one drawn image of the other modality per
    identity and camera. Gallery images of the query's identity *and* camera are left out, since a
    camera records both modalities. CMC counts identities.

    ``'visible-to-infrared-legacy'`` is what the released test scripts print as "VIS to IR": they
    swap the two sides, so that the drawn infrared images ask all visible ones.

    Args:
        directions: Any of the default ones and ``'visible-to-infrared-legacy'``.
        num_trials: Number of draws, at least 1.

    Raises:
        ValueError: If an argument is not allowed.
    """

    directions: Sequence[str] = ('infrared-to-visible', 'visible-to-infrared')
    num_trials: int = 10
    name: ClassVar[str] = 'llcm'
    any_data: ClassVar[bool] = False

    def __post_init__(self) -> None:
        allowed = (*type(self).directions, LEGACY)
        check_choices('LLCMProtocol', 'directions', self.directions, allowed)
        check_positive('LLCMProtocol', 'num_trials', self.num_trials)

    @property
    def setting_names(self) -> list[str]:
        """Names of the settings, in their order."""
        return [f'llcm/{direction}' for direction in self.directions]

    def settings(self, feature_set: FeatureSet) -> list[RetrievalSetting]:
        """Apply the protocol to test images, of all identities or of some.

        Args:
            feature_set: What is known about the images.

        Returns:
            One setting per direction.

        Raises:
            ValueError: If one modality has no images.
        """
        pairs = zip(self.setting_names, self.directions)
        return [self._setting(feature_set, name, direction) for name, direction in pairs]

    def _setting(self, feature_set: FeatureSet, name: str, direction: str) -> RetrievalSetting:
        legacy = direction == LEGACY
        query, gallery = (INFRARED, VISIBLE) if legacy else direction.split('-to-')
        queries, candidates = (
            sorted_rows(feature_set, feature_set.modalities == modality)
            for modality in (query, gallery)
        )
        drawn = folders(feature_set, queries if legacy else candidates)
        draws = tuple(seeded_gallery(drawn, 1, trial) for trial in range(self.num_trials))
        return RetrievalSetting(
            name=name,
            queries=draws if legacy else (queries,) * self.num_trials,
            galleries=(candidates,) * self.num_trials if legacy else draws,
            candidates=candidates,
            rank_by='identity',
            excluded=same_person_and_camera,
        )


def same_person_and_camera(
    feature_set: FeatureSet, queries: np.ndarray, candidates: np.ndarray
) -> np.ndarray:
    """Pairs of one identity in one camera, bool, shape (Nq, Nc)."""
    persons, cameras = feature_set.person_ids, feature_set.camera_ids
    same_person = persons[queries][:, None] == persons[candidates]
    return same_person & (cameras[queries][:, None] == cameras[candidates])
