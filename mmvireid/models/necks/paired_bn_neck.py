"""BN-neck for two feature maps per image."""

import torch
from torch import Tensor, nn

from mmvireid.registry import MODELS

from .bn_neck import BNNeck


@MODELS.register_module()
class PairedBNNeck(BNNeck):
    """Pool two feature maps of every image, fuse them by a linear layer, and normalise.

    Source: the "classic feature fusion" of MSO (Gao et al., ACM MM 2021), Sec. 4.4, whose number of
    layers is not given; one, without an activation, is taken.

    Args:
        in_channels: Channels D of the feature maps.
        pooling: Config of the pooling module, (2N, D, h, w) -> (2N, D).

    Example:
        >>> neck = PairedBNNeck(8, pooling=dict(type='AveragePooling'))
        >>> embedding, feature = neck(torch.rand(4, 8, 3, 2))
        >>> embedding.shape, feature.shape
        (torch.Size([2, 8]), torch.Size([2, 8]))
    """

    def __init__(self, in_channels: int, pooling: dict, init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, pooling, init_cfg=init_cfg)
        self.linear = nn.Linear(2 * in_channels, in_channels)

    def forward(self, feature_map: Tensor) -> tuple[Tensor, Tensor]:
        """Pool, fuse and normalise.

        Args:
            feature_map: First maps of all images, then second maps, shape (2N, D, h, w).

        Returns:
            The embedding before and the feature after normalisation, float32, both (N, D).
        """
        first, second = self.pooling(feature_map).chunk(2)
        embedding = self.linear(torch.cat([first, second], dim=1)).float()
        return embedding, self.bn(embedding)
