"""A protocol of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mmvireid.evaluation import FeatureSet
from mmvireid.evaluation.protocols import BaseProtocol, RetrievalSetting
from mmvireid.registry import PROTOCOLS
from mmvireid.structures import INFRARED, VISIBLE


@PROTOCOLS.register_module()
@dataclass(frozen=True)
class NightToDayProtocol(BaseProtocol):
    """Every infrared image asks all visible ones, and those of single cameras.

    Settings: ``'night-to-day/all'``, and ``'night-to-day/camera<N>'`` for each of ``cameras``.
    CMC counts images; nothing is drawn, so there is one trial. Queries whose person is not in a
    gallery are left out and counted.

    Args:
        cameras: Visible cameras that have a gallery, and a row in the table, of their own.
    """

    cameras: Sequence[int] = ()
    name: ClassVar[str] = 'night-to-day'

    @property
    def setting_names(self) -> list[str]:
        return [f'{self.name}/{part}' for part in ('all', *(f'camera{c}' for c in self.cameras))]

    def settings(self, feature_set: FeatureSet) -> list[RetrievalSetting]:
        queries = np.flatnonzero(feature_set.modalities == INFRARED)
        visible = np.flatnonzero(feature_set.modalities == VISIBLE)
        cameras = feature_set.camera_ids[visible]
        galleries = [visible, *(visible[cameras == camera] for camera in self.cameras)]
        return [
            RetrievalSetting(name, (queries,), (gallery,), candidates=gallery, rank_by='image')
            for name, gallery in zip(self.setting_names, galleries)
        ]
