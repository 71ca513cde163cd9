"""RegDB: every image of one modality asks all images of the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mmvireid.evaluation.feature_set import FeatureSet
from mmvireid.evaluation.protocols.base_protocol import BaseProtocol
from mmvireid.evaluation.protocols.gallery_sampling import sorted_rows
from mmvireid.evaluation.protocols.retrieval_setting import RetrievalSetting, check_choices
from mmvireid.registry import PROTOCOLS


@PROTOCOLS.register_module()
@dataclass(frozen=True)
class RegDBProtocol(BaseProtocol):
    """Settings of one of RegDB's ten splits, named such as ``'regdb/visible-to-infrared'``.

    CMC counts images. Nothing is drawn and no pair is excluded, so there is one trial; the ten
    trials of the literature are ten splits with a model each.

    Args:
        directions: Query to gallery, any of the default ones.

    Raises:
        ValueError: If a direction is unknown.
    """

    directions: Sequence[str] = ('visible-to-infrared', 'infrared-to-visible')
    name: ClassVar[str] = 'regdb'
    any_data: ClassVar[bool] = False

    def __post_init__(self) -> None:
        allowed = type(self).directions
        check_choices('RegDBProtocol', 'directions', self.directions, allowed)

    @property
    def setting_names(self) -> list[str]:
        """Names of the settings, in their order."""
        return [f'regdb/{direction}' for direction in self.directions]

    def settings(self, feature_set: FeatureSet) -> list[RetrievalSetting]:
        """Apply the protocol to the test images of one split.

        Args:
            feature_set: What is known about the images. The gallery stands in the order of
                identities and file names.

        Returns:
            One setting per direction.

        Raises:
            ValueError: If one modality has no images.
        """
        settings = []
        for name, direction in zip(self.setting_names, self.directions):
            queries, gallery = (
                sorted_rows(feature_set, feature_set.modalities == modality)
                for modality in direction.split('-to-')
            )
            settings.append(
                RetrievalSetting(
                    name=name,
                    queries=(queries,),
                    galleries=(gallery,),
                    candidates=gallery,
                    rank_by='image',
                )
            )
        return settings
