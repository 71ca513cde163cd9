"""Gradient penalty of a discriminator on real images."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

from .adversarial_loss import as_scales


def _squared_gradient_norm(logits: Tensor, images: Tensor) -> Tensor:
    """Squared norm of the gradient of an image's logits, float32 at least, shape (N,)."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    gradient = gradient.to(torch.promote_types(gradient.dtype, torch.float32))
    return gradient.flatten(1).square().sum(dim=1)


def r1_penalty(logits: Tensor | Sequence[Tensor], images: Tensor) -> Tensor:
    r"""Squared gradient of a discriminator's logits at real images.

    .. math::
        \sum_s \frac1N \sum_i \Bigl\lVert \nabla_{x_i} \sum_u D_s(x_i)_u \Bigr\rVert^2

    with the scales s and the positions u of a scale's logits.

    Source: :math:`R_1` of Mescheder et al., ICML 2018, whose factor :math:`\gamma / 2` is left to
    the weight of the term; the sums over positions and scales are those of Hi-CMD (Choi et al.,
    CVPR 2020), as released.

    Args:
        logits: What the discriminator says of the images, (N, ...); a sequence of them, one per
            scale, from a discriminator with several. The logits of an image must depend on no
            other image, as they would behind a batch norm.
        images: The real images x, which require a gradient, shape (N, 3, H, W).

    Returns:
        A scalar, float32 at least, never negative. Its gradient, of second order, trains the
        discriminator.

    Raises:
        ValueError: If there is no gradient from the logits to the images.

    Example:
        >>> images = torch.rand(2, 3, 4, 4, requires_grad=True)
        >>> float(r1_penalty(0.5 * images.flatten(1).sum(dim=1), images))  # 48 pixels, 0.25 each
        12.0
    """
    scales = as_scales(logits)
    if not (images.requires_grad and all(scale.requires_grad for scale in scales)):
        raise InvalidValueError(
            'r1_penalty: `images` is a tensor without a gradient from `logits`, expected one that '
            'requires a gradient: call `images.requires_grad_()` before the discriminator, and '
            'the discriminator outside `torch.no_grad()`.'
        )
    return sum(_squared_gradient_norm(scale, images).mean() for scale in scales)


@MODELS.register_module()
class R1Loss(nn.Module):
    """:func:`r1_penalty` as a module."""

    def forward(self, logits: Tensor | Sequence[Tensor], images: Tensor) -> Tensor:
        """Compute the penalty of logits, of one scale or of several, at images (N, 3, H, W)."""
        return r1_penalty(logits, images)
