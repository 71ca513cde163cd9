"""Circle loss on all pairs of a batch."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.distances import unit_rows
from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS


def batch_circle(features: Tensor, labels: Tensor, margin: float, scale: float) -> Tensor:
    r"""Circle loss of every image against all others of the batch.

    .. math::
        \frac1N \sum_i \mathrm{softplus}\Bigl(
        \ln \sum_{y_j \ne y_i} e^{\gamma [s_{ij} + m]_+ (s_{ij} - m)} +
        \ln \sum_{y_j = y_i,\, j \ne i} e^{-\gamma [1 + m - s_{ij}]_+ (s_{ij} - 1 + m)}\Bigr)

    with s the cosines; no gradient goes through the factors in brackets. It hangs on directions
    alone, whatever the scale of the features.

    Source: Sun et al., CVPR 2020, in the form of DNS (ECCV 2024).

    Args:
        features: Features, shape (N, D).
        labels: Identity of every image, int64, shape (N,). An image that is alone with its
            identity, or a batch of one identity, adds 0.
        margin: The :math:`m` above, in [0, 1].
        scale: The :math:`\gamma` above, positive.

    Returns:
        Mean over the images, never negative, a scalar.
    """
    with torch.autocast(features.device.type, enabled=False):  # bf16 is too coarse for the scale
        unit = unit_rows(features)
        cosine = unit @ unit.T
    factor = cosine.detach()
    pull = -scale * (1 + margin - factor).clamp(min=0) * (cosine - 1 + margin)
    push = scale * (factor + margin).clamp(min=0) * (cosine - margin)
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    pull = pull.masked_fill(~same | itself, -torch.inf).logsumexp(dim=1)
    push = push.masked_fill(same, -torch.inf).logsumexp(dim=1)
    return F.softplus(pull + push).mean()


@MODELS.register_module()
class BatchCircleLoss(nn.Module):
    """:func:`batch_circle` as a module.

    Args:
        margin: Wanted cosines: 1 - m of an identity, m between identities.
        scale: Steepness.

    Raises:
        ValueError: If an argument is outside its range.
    """

    def __init__(self, margin: float = 0.45, scale: float = 64.0) -> None:
        super().__init__()
        if not 0 <= margin <= 1 or scale <= 0:
            raise InvalidValueError(
                f'BatchCircleLoss: `margin` is {margin} and `scale` {scale}, expected a margin in '
                '[0, 1] and a positive scale.'
            )
        self.margin, self.scale = margin, scale

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            features: Features, shape (N, D).
            labels: Identity of every image, int64, shape (N,).

        Returns:
            A scalar, never negative.
        """
        return batch_circle(features, labels, self.margin, self.scale)
