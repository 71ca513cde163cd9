"""Pooling followed by a batch-normalisation neck."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.registry import MODELS


@MODELS.register_module()
class BNNeck(BaseModule):
    """Pool a feature map, and normalise the result over the batch.

    The value before normalisation is the ``embedding`` (for metric losses), the value after it
    the ``feature`` (for classification and retrieval). As a rule the shift of the normalisation is
    fixed at zero, and its scale starts from N(1, 0.01).

    Source: Luo et al., "Bag of Tricks for Person Re-Identification" (2019), as used by AGW.

    Args:
        in_channels: Channels D of the feature map.
        pooling: Config of the pooling module, (N, D, h, w) -> (N, D).
        bias: Whether the shift of the normalisation is learned.

    Example:
        >>> import torch
        >>> neck = BNNeck(8, pooling=dict(type='AveragePooling'))
        >>> embedding, feature = neck(torch.rand(4, 8, 3, 2))
        >>> embedding.shape, feature.shape
        (torch.Size([4, 8]), torch.Size([4, 8]))
    """

    def __init__(
        self, in_channels: int, pooling: dict, bias: bool = False, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.pooling = MODELS.build(pooling)
        self.bn = nn.BatchNorm1d(in_channels)
        nn.init.normal_(self.bn.weight, mean=1.0, std=0.01)
        self.bn.bias.requires_grad_(bias)

    def forward(self, feature_map: Tensor) -> tuple[Tensor, Tensor]:
        """Pool and normalise.

        Args:
            feature_map: Shape (N, D, h, w).

        Returns:
            The embedding before and the feature after normalisation, float32, both (N, D).
        """
        embedding = self.pooling(feature_map)
        return embedding, self.bn(embedding)
