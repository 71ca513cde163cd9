"""Pooling of a feature map to one vector per image."""

from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS


@MODELS.register_module()
class AveragePooling(nn.Module):
    """Mean over all positions: (N, C, h, w) -> (N, C), in float32."""

    def forward(self, feature_map: Tensor) -> Tensor:
        return feature_map.float().mean(dim=(2, 3))


@MODELS.register_module()
class GeMPooling(nn.Module):
    r"""Generalised mean over all positions, with a fixed exponent.

    .. math:: \bigl(\tfrac{1}{hw} \textstyle\sum_{xy} f_{xy}^p + \epsilon\bigr)^{1/p}

    Source: Radenovic et al., TPAMI 2018; AGW (Ye et al., TPAMI 2021) with p = 3.
    Deviation: AGW's text calls p learnable; its released code keeps it at 3, and so do we.
    Negative values count as 0: a non-local block behind the last residual block can make some,
    and a root of a negative mean would be NaN.

    Args:
        p: Exponent, positive. 1 is the mean, infinity the maximum.
        eps: Added under the root, so that its gradient stays finite on an all-zero map.

    Raises:
        ValueError: If ``p`` is not positive.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-12) -> None:
        super().__init__()
        if p <= 0:
            raise InvalidValueError(f'GeMPooling: `p` is {p}, expected a positive number.')
        self.p = p
        self.eps = eps

    def forward(self, feature_map: Tensor) -> Tensor:
        """Pool a map.

        Args:
            feature_map: Values that are >= 0 as a rule (after ReLU), shape (N, C, h, w).

        Returns:
            Pooled values, float32, shape (N, C).
        """
        powered = feature_map.float().clamp(min=0).pow(self.p).mean(dim=(2, 3))
        return (powered + self.eps).pow(1 / self.p)


@MODELS.register_module()
class MaxPooling(nn.Module):
    """Maximum over all positions: (N, C, h, w) -> (N, C), in float32."""

    def forward(self, feature_map: Tensor) -> Tensor:
        return feature_map.float().amax(dim=(2, 3))
