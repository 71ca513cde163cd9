"""SYSU-MM01: infrared queries, sampled visible galleries, a room that two cameras share."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import ClassVar

import numpy as np

from mmvireid.errors import InvalidValueError, MissingFileError
from mmvireid.evaluation.feature_set import FeatureSet
from mmvireid.evaluation.protocols.base_protocol import BaseProtocol
from mmvireid.evaluation.protocols.gallery_sampling import (
    OfficialGallery,
    folders,
    seeded_gallery,
    sorted_rows,
)
from mmvireid.evaluation.protocols.retrieval_setting import (
    RetrievalSetting,
    check_all_positive,
    check_choices,
    check_positive,
)
from mmvireid.registry import PROTOCOLS
from mmvireid.structures import INFRARED, VISIBLE

QUERY_CAMERAS = (3, 6)
GALLERY_CAMERAS = {'all': (1, 2, 4, 5), 'indoor': (1, 2)}
# k1 and k2 of AIM where a gallery has one image per person and camera; all others have the
# default of a setting.
ONE_SHOT_NEIGHBOURS = {'all': (4, 1), 'indoor': (2, 2)}


@PROTOCOLS.register_module()
@dataclass(frozen=True)
class SYSUProtocol(BaseProtocol):
    """Settings of SYSU-MM01, named such as ``'sysu/all-1shot'``.

    Every infrared image asks, in both modes. Camera-3 queries never see camera-2 images, because
    both cameras look into one room. CMC counts identities.

    Args:
        modes: ``'all'`` (gallery cameras 1, 2, 4, 5) and ``'indoor'`` (1, 2).
        shots: Gallery images per identity and camera, each at least 1.
        gallery: ``'seeded'`` (released Python code) or ``'official'`` (the data set's own file).
        rand_perm_file: Path of ``rand_perm_cam.mat``, needed by the official gallery.
        num_trials: Number of gallery draws; the official file holds 10.

    Raises:
        ValueError: If an argument is not allowed.
        FileNotFoundError: If the official file is needed and does not exist.
    """

    modes: Sequence[str] = ('all', 'indoor')
    shots: Sequence[int] = (1, 10)
    gallery: str = 'seeded'
    rand_perm_file: str | Path | None = None
    num_trials: int = 10
    name: ClassVar[str] = 'sysu'
    any_data: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_choices('SYSUProtocol', 'modes', self.modes, list(GALLERY_CAMERAS))
        check_choices('SYSUProtocol', 'gallery', [self.gallery], ['seeded', 'official'])
        check_all_positive('SYSUProtocol', 'shots', self.shots)
        check_positive('SYSUProtocol', 'num_trials', self.num_trials)
        path = self.rand_perm_file
        if self.gallery == 'official' and not (path and Path(path).is_file()):
            raise MissingFileError(
                f'SYSUProtocol: `rand_perm_file` is {path}, expected the path of '
                "rand_perm_cam.mat, which comes with SYSU-MM01; gallery='seeded' needs no file."
            )

    @property
    def setting_names(self) -> list[str]:
        """Names of the settings, in their order."""
        return [f'sysu/{mode}-{shots}shot' for mode, shots in product(self.modes, self.shots)]

    def settings(self, feature_set: FeatureSet) -> list[RetrievalSetting]:
        """Apply the protocol to test images, of all identities or of some.

        Args:
            feature_set: What is known about the images.

        Returns:
            One setting per mode and number of shots.

        Raises:
            ValueError: If a camera is on the wrong side, the official file does not fit the
                images, or a setting would have no queries or no gallery.
        """
        visible = feature_set.modalities == VISIBLE
        _check_cameras(feature_set, visible, VISIBLE, GALLERY_CAMERAS['all'])
        _check_cameras(feature_set, ~visible, INFRARED, QUERY_CAMERAS)
        needed = sorted({camera for mode in self.modes for camera in GALLERY_CAMERAS[mode]})
        candidates = sorted_rows(feature_set, visible & np.isin(feature_set.camera_ids, needed))
        images = folders(feature_set, candidates)
        draw = seeded_gallery
        if self.gallery == 'official':
            persons = np.unique(feature_set.person_ids).tolist()
            draw = OfficialGallery(self.rand_perm_file)
            draw.check(images, product(persons, needed), self.num_trials)
            # Candidates stand in the gallery's order, which is camera-major here.
            candidates = candidates[np.argsort(feature_set.camera_ids[candidates], kind='stable')]
        queries = sorted_rows(feature_set, ~visible)

        def setting(name: str, mode: str, shots: int) -> RetrievalSetting:
            chosen = {key: rows for key, rows in images.items() if key[1] in GALLERY_CAMERAS[mode]}
            return RetrievalSetting(
                name=name,
                queries=(queries,) * self.num_trials,
                galleries=tuple(draw(chosen, shots, t) for t in range(self.num_trials)),
                candidates=candidates,
                rank_by='identity',
                excluded=same_room,
                **(dict(aim_neighbours=ONE_SHOT_NEIGHBOURS[mode]) if shots == 1 else {}),
            )

        pairs = product(self.modes, self.shots)
        return [setting(name, *pair) for name, pair in zip(self.setting_names, pairs)]


def same_room(feature_set: FeatureSet, queries: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Camera-3 queries and camera-2 candidates, bool, shape (Nq, Nc)."""
    cameras = feature_set.camera_ids
    return (cameras[queries] == 3)[:, None] & (cameras[candidates] == 2)


def _check_cameras(
    feature_set: FeatureSet, selected: np.ndarray, modality: str, allowed: Sequence[int]
) -> None:
    wrong = sorted(set(feature_set.camera_ids[selected].tolist()) - set(allowed))
    if wrong:
        raise InvalidValueError(
            f'SYSUProtocol: `feature_set` has {modality} images of cameras {wrong}, expected '
            f'only {list(allowed)}. Is this another data set?'
        )
