"""Masks that look at different places (MPANet)."""

from itertools import combinations

import torch
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS


def mask_separation(masks: Tensor) -> Tensor:
    r"""Overlap of the masks of an image.

    .. math::
        \frac{2}{S (S - 1)} \sum_{a < b} \frac1N \sum_i \sum_{xy} m_{ia,xy}\, m_{ib,xy}

    It grows with the map: masks of 1/2 on 24 x 8 positions overlap by 48.

    Source: separation loss of MPANet (Wu et al., CVPR 2021).

    Args:
        masks: Values in [0, 1], S >= 2 masks of every image, shape (N, S, h, w).

    Returns:
        Mean over images and pairs of masks, a scalar, never negative.

    Raises:
        ValueError: If there is no pair of masks.

    Example:
        >>> mask_separation(torch.full((2, 6, 24, 8), 0.5))
        tensor(48.)
    """
    num_masks = masks.shape[1]
    if num_masks < 2:
        raise InvalidValueError(
            f'mask_separation: `masks` has shape {tuple(masks.shape)}, expected at least two masks '
            'of every image.'
        )
    rows = masks.flatten(2).to(torch.promote_types(masks.dtype, torch.float32))  # (N, S, hw)
    pairs = list(combinations(range(num_masks), 2))
    return sum((rows[:, a] * rows[:, b]).sum(dim=1).mean() for a, b in pairs) / len(pairs)


@MODELS.register_module()
class MaskSeparationLoss(nn.Module):
    """:func:`mask_separation` as a module."""

    def forward(self, masks: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            masks: Masks of every image, shape (N, S, h, w).

        Returns:
            A scalar, never negative.
        """
        return mask_separation(masks)
