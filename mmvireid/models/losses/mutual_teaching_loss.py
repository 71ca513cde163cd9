"""Classification as the other modality's teacher would classify."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.models.batches import sum_over_modalities
from mmvireid.registry import MODELS


def mutual_teaching(
    logits: Tensor, taught: Tensor, num_visible: int, temperature: float = 1.0
) -> Tensor:
    r"""Divergence of what students say from what the other modality's teachers say.

    .. math::
        \sum_m \frac{1}{N_m} \sum_{i \in m} \sum_c p_{ic} (\ln p_{ic} - \ln q_{ic}), \quad
        p = \mathrm{softmax}(s / \tau),\ q = \mathrm{softmax}(t / \tau)

    The gradient goes through p, the student's, alone. Of the two directions of a divergence it is
    the unusual one: p is what learns.

    Source: MPANet (Wu et al., CVPR 2021), :math:`\tau = 1`; DNS (ECCV 2024). Deviation: the
    releases take the logarithm of a softmax, which can be that of 0; here it is a log-softmax, in
    float32 at least.

    Args:
        logits: The students' identity scores s, visible images first, shape (N, C).
        taught: The teachers' t for the same images, row by row, shape (N, C).
        num_visible: How many of the images are visible.
        temperature: The :math:`\tau` above, positive.

    Returns:
        In nats, mean over each modality and sum of the two, a scalar, never negative.

    Raises:
        ValueError: If a modality is missing.
    """
    dtype = torch.promote_types(logits.dtype, torch.float32)
    students = F.log_softmax(logits.to(dtype) / temperature, dim=1)
    teachers = F.log_softmax(taught.detach().to(dtype) / temperature, dim=1)
    divergence = (students.exp() * (students - teachers)).sum(dim=1)  # (N,)
    return sum_over_modalities(Tensor.mean, num_visible, divergence)


@MODELS.register_module()
class MutualTeachingLoss(nn.Module):
    """:func:`mutual_teaching` as a module.

    Args:
        temperature: Softens both sides where above 1, sharpens them where below.

    Raises:
        ValueError: If it is not positive.
    """

    def __init__(self, temperature: float = 1.0) -> None:
        super().__init__()
        if temperature <= 0:
            raise InvalidValueError(
                f'MutualTeachingLoss: `temperature` is {temperature}, expected a positive number.'
            )
        self.temperature = temperature

    def forward(self, logits: Tensor, taught: Tensor, num_visible: int) -> Tensor:
        """Compute the loss.

        Args:
            logits: The students' identity scores, visible images first, shape (N, C).
            taught: The teachers' for the same images, shape (N, C).
            num_visible: How many of the images are visible.

        Returns:
            A scalar, never negative.
        """
        return mutual_teaching(logits, taught, num_visible, self.temperature)
