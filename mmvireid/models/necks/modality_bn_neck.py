"""BN-neck that each modality has for itself."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES

from .bn_neck import BNNeck


@MODELS.register_module()
class ModalityBNNeck(BaseModule):
    """A :class:`BNNeck` for each modality: images are normalised over those of their own.

    Source: expAT (Ye et al., TIP 2021), released code.

    Args:
        in_channels: Channels D of the feature map.
        pooling: Config of the pooling module, (N, D, h, w) -> (N, D).

    Example:
        >>> neck = ModalityBNNeck(8, pooling=dict(type='AveragePooling'))
        >>> embedding, feature = neck(torch.rand(6, 8, 3, 2), [4, 2])
        >>> embedding.shape, feature.shape
        (torch.Size([6, 8]), torch.Size([6, 8]))
    """

    def __init__(self, in_channels: int, pooling: dict, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.necks = nn.ModuleDict({key: BNNeck(in_channels, pooling) for key in MODALITIES})

    def forward(self, feature_map: Tensor, counts: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Pool and normalise.

        Args:
            feature_map: Visible images first, shape (N, D, h, w).
            counts: How many of them are of each modality, in the order of :data:`MODALITIES`; a
                modality may be absent.

        Returns:
            The embedding before and the feature after normalisation, float32, both (N, D).
        """
        necks = [neck for neck, count in zip(self.necks.values(), counts) if count]
        several = len(necks) > 1  # an exported network, of one modality, takes any number
        parts = feature_map.split([c for c in counts if c]) if several else [feature_map]
        embeddings, features = zip(*(neck(maps) for neck, maps in zip(necks, parts)))
        return torch.cat(embeddings), torch.cat(features)
