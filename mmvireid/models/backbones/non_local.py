"""Non-local block in AGW's form."""

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
    the M x M attention matrix never exists, and memory is linear in M.

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
        g, theta, phi = (conv(x).flatten(2) for conv in (self.g, self.theta, self.phi))
        context = g @ phi.transpose(1, 2) / g.shape[2]  # (N, inner, inner)
        attended = (context @ theta).unflatten(2, x.shape[2:])  # (N, inner, h, w)
        return x + self.bn(self.out(attended))
