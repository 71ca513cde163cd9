"""A loss of one's own."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.registry import MODELS


@MODELS.register_module()
class CircleLoss(nn.Module):
    r"""Circle loss (Sun et al., CVPR 2020) of embeddings with labels.

    .. math::
        \mathrm{softplus}\Big(\log\sum_n e^{\gamma [s_n + m]_+ (s_n - m)}
        + \log\sum_p e^{-\gamma [1 + m - s_p]_+ (s_p - 1 + m)}\Big),

    mean over the anchors; s are cosines to its positives p and negatives n. No gradient goes
    through the factors in brackets.

    Args:
        margin: m, in [0, 1].
        scale: gamma, above 0.
    """

    def __init__(self, margin: float = 0.25, scale: float = 64.0) -> None:
        super().__init__()
        self.margin, self.scale = margin, scale

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            embeddings: Shape (N, D).
            labels: Identity of every image, int64, shape (N,).

        Returns:
            A scalar, never negative.
        """
        with torch.autocast(embeddings.device.type, enabled=False):  # bf16 is too coarse for this
            unit = F.normalize(embeddings.float(), dim=1)
            cosine = unit @ unit.T
        factor, margin = cosine.detach(), self.margin
        pull = -self.scale * (1 + margin - factor).clamp(min=0) * (cosine - 1 + margin)
        push = self.scale * (factor + margin).clamp(min=0) * (cosine - margin)
        same = labels[:, None] == labels
        itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        pull = pull.masked_fill(~same | itself, -torch.inf).logsumexp(dim=1)
        push = push.masked_fill(same, -torch.inf).logsumexp(dim=1)
        return F.softplus(pull + push).mean()
