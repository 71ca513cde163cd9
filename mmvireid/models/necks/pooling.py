"""Pooling of a feature map to one vector per image."""

import torch
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS


@MODELS.register_module()
class AveragePooling(nn.Module):
    """Mean over all positions: (N, C, h, w) -> (N, C), in float32."""

    def forward(self, feature_map: Tensor) -> Tensor:
        return feature_map.float().mean(dim=(2, 3))


class _MeanPower(torch.autograd.Function):
    """Mean over all positions of a power of the positive values: (N, C, h, w) -> (N, C), float32.

    The same arithmetic as autograd's, in the same order; but it writes in place, where autograd
    makes a new map for every operation, and keeps the map as it came, in bf16 under autocast.
    """

    @staticmethod
    def forward(ctx, feature_map: Tensor, p: float) -> Tensor:
        ctx.save_for_backward(feature_map)
        ctx.p = p
        return _positive(feature_map).pow_(p).mean(dim=(2, 3))

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        (feature_map,) = ctx.saved_tensors
        height, width = feature_map.shape[2:]
        slope = _positive(feature_map).pow_(ctx.p - 1).mul_(ctx.p)
        slope = slope.mul_((grad / (height * width))[:, :, None, None])
        if ctx.p <= 1:  # a power of 0 or less of 0 is not 0
            slope = slope.masked_fill_(feature_map < 0, 0)
        return slope.to(feature_map.dtype), None


def _positive(feature_map: Tensor) -> Tensor:
    """A copy, float32, without what is negative."""
    return feature_map.clamp(min=0).float()


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
        powered = _MeanPower.apply(feature_map, self.p)
        return (powered + self.eps).pow(1 / self.p)


@MODELS.register_module()
class ClassToken(nn.Module):
    """The first token of a transformer, the class token: (N, 1 + T, C) -> (N, C), in float32."""

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens[:, 0].float()


@MODELS.register_module()
class MaxPooling(nn.Module):
    """Maximum over all positions: (N, C, h, w) -> (N, C), in float32."""

    def forward(self, feature_map: Tensor) -> Tensor:
        return feature_map.float().amax(dim=(2, 3))
