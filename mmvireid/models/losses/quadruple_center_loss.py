"""Images close to their identity in the other modality, and not to other identities."""

import torch
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance, row_distance
from mmvireid.models.batches import split_modalities
from mmvireid.registry import MODELS


def quadruple_center(x: Tensor, labels: Tensor, num_visible: int, margin: float) -> Tensor:
    r"""Distances of each image from centres of identities.

    .. math::
        \frac{1}{2N} \sum_i \Bigl( \|x_i - c_{y_i}^{\bar m_i}\| +
        \frac{1}{|\{j : y_j \ne y_i\}|} \sum_{y_j \ne y_i} [m_0 - \|x_i - c_{y_j}\|]_+ \Bigr)

    with the centre :math:`c_k^{\bar m}` of identity k in the other modality than the image's, and
    :math:`c_k` over all of its images.

    Source: the quadruple-stream centre loss (QCT) of MSCMNet (Pattern Recognition 2024), as
    released. Deviation: the release takes rows of an identity for granted one after the other, in
    four streams; here labels say who belongs together, and a bound under the first root keeps the
    gradient finite where an image is its centre.

    Args:
        x: Embeddings, visible images first, in any number of views, shape (N, D).
        labels: Identity of every image, int64, shape (N,). Every identity must have images of both
            modalities, and there must be two.
        num_visible: How many of the rows are of visible images.
        margin: The :math:`m_0` above, in units of the distance.

    Returns:
        A scalar, never negative.

    Raises:
        ValueError: If a modality is missing.
    """
    split_modalities(x, num_visible)
    with torch.autocast(x.device.type, enabled=False):
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        same = labels[:, None] == labels[None, :]  # (N, N)
        is_visible = torch.arange(len(x), device=x.device) < num_visible
        across = same & (is_visible[:, None] != is_visible[None, :])
        centers, cross_centers = (
            members @ x / members.sum(dim=1, keepdim=True)
            for members in (same.to(x.dtype), across.to(x.dtype))
        )
        near = row_distance(x, cross_centers)
        hinges = (margin - pairwise_distance(x, centers)).clamp(min=0)  # (N, N)
        far = (hinges * ~same).sum(dim=1) / (~same).sum(dim=1)
        return (near + far).mean() / 2


@MODELS.register_module()
class QuadrupleCenterLoss(nn.Module):
    """:func:`quadruple_center` as a module.

    Args:
        margin: Wanted distance from the centres of other identities.
    """

    def __init__(self, margin: float = 0.7) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, x: Tensor, labels: Tensor, num_visible: int) -> Tensor:
        """Compute the loss.

        Args:
            x: Embeddings, visible images first, shape (N, D).
            labels: Identity of every image, int64, shape (N,).
            num_visible: How many of the rows are of visible images.

        Returns:
            A scalar, never negative.
        """
        return quadruple_center(x, labels, num_visible, self.margin)
