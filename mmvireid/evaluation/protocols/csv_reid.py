"""A table's images: who asks whom, and what is left out, as the config says."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np

from mmvireid.errors import InvalidValueError
from mmvireid.evaluation.feature_set import FeatureSet
from mmvireid.evaluation.protocols.base_protocol import BaseProtocol
from mmvireid.evaluation.protocols.gallery_sampling import folders, seeded_gallery, sorted_rows
from mmvireid.evaluation.protocols.retrieval_setting import (
    RetrievalSetting,
    check_choices,
    check_positive,
)
from mmvireid.registry import PROTOCOLS
from mmvireid.structures import MODALITIES

#: Both modalities, as one side of a direction.
ANY = 'any'
DIRECTIONS = tuple(f'{a}-to-{b}' for a, b in product((*MODALITIES, ANY), repeat=2))
#: Rules about pairs of a query and a gallery image, by what the two share.
LEFT_OUT = ('same-camera', 'same-room', 'same-person-and-camera', 'same-person-and-room')
RANKS = ('image', 'identity')


@PROTOCOLS.register_module()
@dataclass(frozen=True)
class CSVProtocol(BaseProtocol):
    """The protocol of one's own data; every choice is an argument.

    Settings are named such as ``'csv/infrared-to-visible'`` (query to gallery), with ``-1shot``
    where galleries are drawn. No image ever asks itself. Queries without an admissible match are
    left out and counted.

    Args:
        directions: Who asks whom: ``visible``, ``infrared`` or ``any`` on either side of ``-to-``.
        query_cameras: Cameras whose images ask; ``None`` for all.
        gallery_cameras: Cameras whose images are asked for; ``None`` for all.
        shots: Images per identity and camera that are drawn into a gallery, as LLCM's are; ``None``
            takes every image.
        num_trials: Number of draws; 1 where nothing is drawn.
        left_out: Which pairs stay out of the ranking: ``'same-camera'`` and ``'same-room'`` of any
            two people (as SYSU-MM01's rule), ``'same-person-and-camera'`` (LLCM's) and
            ``'same-person-and-room'`` of one. An image without a room shares none.
        rank_by: Whether CMC counts ``'image'`` or distinct ``'identity'`` ranks.

    Raises:
        ValueError: If an argument is not allowed.

    Example:
        >>> CSVProtocol(['infrared-to-visible'], shots=1, num_trials=10).setting_names
        ['csv/infrared-to-visible-1shot']
    """

    directions: Sequence[str] = ('infrared-to-visible', 'visible-to-infrared')
    query_cameras: Sequence[int] | None = None
    gallery_cameras: Sequence[int] | None = None
    shots: int | None = None
    num_trials: int = 1
    left_out: Sequence[str] = ()
    rank_by: str = 'image'
    name: ClassVar[str] = 'csv'

    def __post_init__(self) -> None:
        name = type(self).__name__
        check_choices(name, 'directions', self.directions, DIRECTIONS)
        if self.left_out:
            check_choices(name, 'left_out', self.left_out, LEFT_OUT)
        check_choices(name, 'rank_by', [self.rank_by], RANKS)
        check_positive(name, 'num_trials', self.num_trials)
        if self.shots is not None:
            check_positive(name, 'shots', self.shots)
        elif self.num_trials != 1:
            raise InvalidValueError(
                f'{name}: `num_trials` is {self.num_trials}, expected 1, or `shots`: all trials '
                'are the same where nothing is drawn.'
            )

    @property
    def setting_names(self) -> list[str]:
        """Names of the settings, in their order."""
        drawn = '' if self.shots is None else f'-{self.shots}shot'
        return [f'{self.name}/{direction}{drawn}' for direction in self.directions]

    def settings(self, feature_set: FeatureSet) -> list[RetrievalSetting]:
        """Apply the protocol to test images.

        Args:
            feature_set: What is known about the images.

        Returns:
            One setting per direction.

        Raises:
            ValueError: If one side has no images, or rooms count and are not known.
        """
        if feature_set.rooms is None and any(rule.endswith('room') for rule in self.left_out):
            raise InvalidValueError(
                f'{type(self).__name__}: `left_out` is {list(self.left_out)}, expected no rooms: '
                'these images tell none. Add the column `room` to the table.'
            )
        pairs = zip(self.setting_names, self.directions)
        return [self._setting(feature_set, name, direction) for name, direction in pairs]

    def _setting(self, feature_set: FeatureSet, name: str, direction: str) -> RetrievalSetting:
        asking, asked = direction.split('-to-')
        queries = _side(feature_set, asking, self.query_cameras)
        candidates = _side(feature_set, asked, self.gallery_cameras)
        galleries = (candidates,)
        if self.shots is not None:
            groups = folders(feature_set, candidates)
            galleries = tuple(seeded_gallery(groups, self.shots, t) for t in range(self.num_trials))
        return RetrievalSetting(
            name=name,
            queries=(queries,) * self.num_trials,
            galleries=galleries,
            candidates=candidates,
            rank_by=self.rank_by,
            excluded=LeftOut(tuple(self.left_out)),
        )


@dataclass(frozen=True)
class LeftOut:
    """Tells which pairs of a query and a gallery image stay out of the ranking.

    Args:
        rules: Some of ``LEFT_OUT``.
    """

    rules: tuple[str, ...] = ()

    def __call__(
        self, feature_set: FeatureSet, queries: np.ndarray, candidates: np.ndarray
    ) -> np.ndarray:
        """Pairs that are left out; an image and itself always are.

        Args:
            feature_set: What is known about the images.
            queries: Rows, shape (Nq,).
            candidates: Rows, shape (Nc,).

        Returns:
            bool, shape (Nq, Nc).
        """
        excluded = queries[:, None] == candidates
        for rule in self.rules:
            is_room = rule.endswith('room')
            place = feature_set.rooms if is_room else feature_set.camera_ids
            shared = place[queries][:, None] == place[candidates]
            if is_room:
                shared &= place[candidates] != ''
            if 'person' in rule:
                persons = feature_set.person_ids
                shared &= persons[queries][:, None] == persons[candidates]
            excluded |= shared
        return excluded


def _side(feature_set: FeatureSet, kind: str, cameras: Sequence[int] | None) -> np.ndarray:
    """Rows of a modality, or of any, and of some cameras, by person, camera and name."""
    selected = np.ones(len(feature_set), bool)
    if kind != ANY:
        selected &= feature_set.modalities == kind
    if cameras is not None:
        selected &= np.isin(feature_set.camera_ids, cameras)
    return sorted_rows(feature_set, selected)
