"""Identity classifier on the unit sphere."""

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.distances import unit_rows
from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

from .identity_head import check_num_ids


@MODELS.register_module()
class CosineIdentityHead(BaseModule):
    r"""Cosines between a feature and the weights of the identities, scaled (sphere softmax).

    .. math:: z_k = s\, \frac{x^\top w_k}{\|x\| \|w_k\|}

    Source: SphereReID (Fan et al., 2019), s = 14; HSME (Hao et al., AAAI 2019). With C identities
    the smallest cross-entropy that it can reach is
    :math:`\ln(1 + (C - 1) e^{-s C / (C - 1)})`, for C = 395 and s = 14 3e-4. Computed in float32
    at least, also inside autocast.

    Args:
        in_channels: Feature size D.
        num_ids: Number of training identities C.
        scale: The :math:`s` above, positive.

    Raises:
        ValueError: If ``num_ids`` is not a positive integer, or ``scale`` not positive.

    Example:
        >>> head = CosineIdentityHead(4, num_ids=2, scale=10.0)
        >>> bool((head(torch.rand(3, 4)).abs() <= 10.0).all())
        True
    """

    def __init__(
        self, in_channels: int, num_ids: int, scale: float = 14.0, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        check_num_ids('CosineIdentityHead', num_ids)
        if not scale > 0:
            raise InvalidValueError(
                f'CosineIdentityHead: `scale` is {scale}, expected a positive number.'
            )
        self.num_ids, self.scale = num_ids, scale
        self.classifier = nn.Linear(in_channels, num_ids, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, feature: Tensor) -> Tensor:
        """Classify features (N, D) -> logits in [-scale, scale], (N, C)."""
        with torch.autocast(feature.device.type, enabled=False):
            return self.scale * unit_rows(feature) @ unit_rows(self.classifier.weight).T
