"""Classification towards what was predicted for another view."""

import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.registry import MODELS


@MODELS.register_module()
class SoftIdentityLoss(nn.Module):
    r"""Cross-entropy between the identities of two views of the same images.

    .. math:: -\frac1N \sum_i \sum_c q_{ic} \ln p_{ic}

    with :math:`q` the target's probabilities, which get no gradient.

    Source: CAJ+ (Ye et al., TPAMI 2023), released code: weak views learn from channel-exchanged
    ones.

    Example:
        >>> import torch
        >>> loss = SoftIdentityLoss()(torch.zeros(2, 4), torch.rand(2, 4))
        >>> round(loss.item(), 4)  # ln 4, whatever the target
        1.3863
    """

    def forward(self, logits: Tensor, target_logits: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits: Identity scores of one view, shape (N, C).
            target_logits: Of the same images in another view, row by row, shape (N, C).

        Returns:
            Mean loss in nats, a scalar.
        """
        return F.cross_entropy(logits, target_logits.detach().softmax(dim=1))
