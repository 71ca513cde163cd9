"""Neck of parts that are found, not cut."""

from typing import NamedTuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS


class MaskedParts(NamedTuple):
    """What a :class:`PartMaskNeck` makes of N images.

    Attributes:
        embedding: Vectors of the parts and of the whole in a row, float32, shape (N, D).
        feature: The same after normalisation, float32, shape (N, D).
        masks: Where each part is, values in [0, 1], shape (N, S, h, w).
    """

    embedding: Tensor
    feature: Tensor
    masks: Tensor


@MODELS.register_module()
class PartMaskNeck(BaseModule):
    r"""Find S parts by masks, pool each and the whole, and normalise all in a row.

    .. math::
        m = \sigma(W x + b), \qquad v_k = \frac{1}{hw} \sum_{xy} m_{k,xy}\, x_{xy}

    The embedding is :math:`[v_1, \dots, v_S, \bar x]`. Its normalisation starts with a scale of 1
    and has no shift.

    Source: modality-shared pattern masks of MPANet (Wu et al., CVPR 2021), as released.

    Args:
        in_channels: Channels C of the feature map.
        num_parts: Number S of masks.

    Attributes:
        out_channels (int): Size D of embedding and feature, (S + 1) C.

    Raises:
        ValueError: If there is no part.

    Example:
        >>> found = PartMaskNeck(8, num_parts=2)(torch.rand(4, 8, 6, 3))
        >>> found.feature.shape, found.masks.shape
        (torch.Size([4, 24]), torch.Size([4, 2, 6, 3]))
    """

    def __init__(self, in_channels: int, num_parts: int = 6, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if num_parts < 1:
            raise InvalidValueError(
                f'PartMaskNeck: `num_parts` is {num_parts}, expected at least 1.'
            )
        self.out_channels = (num_parts + 1) * in_channels
        self.masks = nn.Conv2d(in_channels, num_parts, 1)
        nn.init.zeros_(self.masks.bias)
        self.bn = nn.BatchNorm1d(self.out_channels)
        self.bn.bias.requires_grad_(False)

    def forward(self, feature_map: Tensor) -> MaskedParts:
        """Find, pool and normalise.

        Args:
            feature_map: Shape (N, C, h, w).

        Returns:
            See :class:`MaskedParts`.
        """
        masks = self.masks(feature_map).float().sigmoid()
        positions = feature_map.flatten(2).float()  # (N, C, hw)
        with torch.autocast(feature_map.device.type, enabled=False):
            parts = masks.flatten(2) @ positions.transpose(1, 2) / positions.shape[2]  # (N, S, C)
        embedding = torch.cat([parts.flatten(1), positions.mean(dim=2)], dim=1)
        return MaskedParts(embedding, self.bn(embedding), masks)
