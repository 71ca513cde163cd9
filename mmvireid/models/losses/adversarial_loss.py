"""The two sides of adversarial training."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.registry import MODELS


@MODELS.register_module()
class AdversarialLoss(nn.Module):
    """Binary cross-entropy of a discriminator's logits with "real" or "fake".

    The discriminator asks for the truth, a generator for its fakes to be taken for real (the
    non-saturating form; Goodfellow et al., NIPS 2014).

    Example:
        >>> float(AdversarialLoss()(torch.zeros(2, 1), real=True))  # ln 2
        0.6931471824645996
    """

    def forward(self, logits: Tensor, real: bool) -> Tensor:
        """Compute the loss.

        Args:
            logits: Any shape, positive for real.
            real: What they should say.

        Returns:
            Mean in nats, a scalar.
        """
        target = torch.ones_like(logits) if real else torch.zeros_like(logits)
        return F.binary_cross_entropy_with_logits(logits, target)
