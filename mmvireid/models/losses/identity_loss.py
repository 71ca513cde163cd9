"""Identity classification loss."""

import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS


@MODELS.register_module()
class IdentityLoss(nn.Module):
    """Cross-entropy of the identity logits, averaged over the batch.

    Args:
        label_smoothing: Probability mass spread evenly over all identities, in [0, 1).

    Raises:
        ValueError: If ``label_smoothing`` is outside [0, 1).

    Example:
        >>> import torch
        >>> loss = IdentityLoss()(torch.zeros(2, 4), torch.tensor([0, 3]))
        >>> float(loss)  # ln 4
        1.3862943649291992
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        if not 0 <= label_smoothing < 1:
            raise InvalidValueError(
                f'IdentityLoss: `label_smoothing` is {label_smoothing}, expected a value in [0, 1).'
            )
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits: Identity scores, shape (N, C).
            labels: Identity index of every image, int64 in [0, C), shape (N,).

        Returns:
            Mean loss in nats, a scalar.
        """
        return F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
