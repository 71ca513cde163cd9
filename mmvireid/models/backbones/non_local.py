"""Non-local block in AGW's form."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError


class DotProductNonLocal(nn.Module):
    r"""Non-local block with dot-product attention (no softmax).

    .. math::
        y = x + \mathrm{BN}\bigl(W\, [\tfrac1M\, g(x)\, \phi(x)^\top]\, \theta(x)\bigr),
        \quad M = h w

    Source: Wang et al., CVPR 2018 (dot-product version), in the form of AGW's released code:
    all four 1x1 convolutions have a bias, BN starts at zero, so the block starts as identity.

    The product is evaluated in the order that the brackets show, (inner x M)(M x inner) first:
    the M x M attention matrix never exists, and memory is linear in M. The convolutions are
    computed as products of matrices, the three inner ones in one: with as few channels as the
    release has, that is four times faster on channels-last maps (others are copied first).

    Args:
        channels: Channels C of input and output.
        inner: Channels of the inner maps g, theta, phi. AGW's released code has 1 here (it
            divides the reduction by itself), its text says C / 2.

    Raises:
        ValueError: If ``inner`` is not in [1, C].
    """

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        if not 1 <= inner <= channels:
            raise InvalidValueError(
                f'DotProductNonLocal: `inner` is {inner}, expected 1 to {channels} (the channels).'
            )
        self.g = nn.Conv2d(channels, inner, 1)
        self.theta = nn.Conv2d(channels, inner, 1)
        self.phi = nn.Conv2d(channels, inner, 1)
        self.out = nn.Conv2d(inner, channels, 1)
        self.bn = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.bn.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Attend: (N, C, h, w) -> (N, C, h, w)."""
        rows = x.flatten(2).transpose(1, 2)  # (N, M, C), a view of channels-last maps
        inner = (self.g, self.theta, self.phi)
        weight = torch.cat([conv.weight for conv in inner]).flatten(1)  # (3 inner, C)
        bias = torch.cat([conv.bias for conv in inner])
        g, theta, phi = F.linear(rows, weight, bias).chunk(3, dim=2)  # each (N, M, inner)
        context = phi.transpose(1, 2) @ g / len(g[0])  # (N, inner, inner)
        out = F.linear(theta @ context, self.out.weight.flatten(1), self.out.bias)  # (N, M, C)
        return x + self.bn(out.transpose(1, 2).unflatten(2, x.shape[2:]))
