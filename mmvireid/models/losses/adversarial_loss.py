"""The two sides of adversarial training."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

#: See :class:`AdversarialLoss`.
FORMS = dict(bce=F.binary_cross_entropy_with_logits, lsgan=F.mse_loss)


def as_scales(logits: Tensor | Sequence[Tensor]) -> Sequence[Tensor]:
    """A discriminator's logits as a sequence, one tensor per scale, also if it has only one."""
    return [logits] if isinstance(logits, Tensor) else logits


@MODELS.register_module()
class AdversarialLoss(nn.Module):
    """Difference of a discriminator's logits from "real" (1) or "fake" (0).

    The discriminator asks for the truth, a generator for its fakes to be taken for real.

    Args:
        form: ``'bce'``, the binary cross-entropy in its non-saturating form (Goodfellow et al.,
            NIPS 2014), or ``'lsgan'``, the squared error (Mao et al., ICCV 2017).

    Raises:
        ValueError: If ``form`` is neither.

    Example:
        >>> float(AdversarialLoss()(torch.zeros(2, 1), real=True))  # ln 2
        0.6931471824645996
    """

    def __init__(self, form: str = 'bce') -> None:
        super().__init__()
        if form not in FORMS:
            raise InvalidValueError(
                f'AdversarialLoss: `form` is {form!r}, expected one of {tuple(FORMS)}.'
            )
        self.compare = FORMS[form]

    def forward(self, logits: Tensor | Sequence[Tensor], real: bool) -> Tensor:
        """Compute the loss.

        Args:
            logits: Of any shape (N, ...), positive for real; a sequence of them, one per scale,
                from a discriminator with several.
            real: What they should say.

        Returns:
            Mean of a scale, summed over the scales, in nats for ``'bce'``, a scalar, never
            negative.
        """
        return sum(
            self.compare(scale, torch.full_like(scale, float(real))) for scale in as_scales(logits)
        )

    def terms(
        self, name: str, discriminator: nn.Module, real: Tensor, fake: Tensor
    ) -> dict[str, Tensor]:
        """A discriminator's own terms.

        Args:
            name: What the terms are called after.
            discriminator: Gives logits, of one scale or of several.
            real: What it should take for real, (N, ...).
            fake: What it should take for fake, (N, ...), without a gradient to where it comes from.

        Returns:
            ``<name>_real`` and ``<name>_fake``, scalars.
        """
        return {
            f'{name}_real': self(discriminator(real), real=True),
            f'{name}_fake': self(discriminator(fake), real=False),
        }
