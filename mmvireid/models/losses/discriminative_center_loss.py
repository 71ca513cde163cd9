"""Distance from the own centre, over that of near strangers from it."""

import torch
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance
from mmvireid.registry import MODELS

# What counts as the centre itself: the square root of the least squared distance.
NEAREST = 1e-6


def discriminative_center(embeddings: Tensor, labels: Tensor) -> Tensor:
    r"""Images near their centre, and the near images of others far from it.

    .. math::
        \frac{\operatorname{mean}_i \|x_i - c_{y_i}\|}
        {\operatorname{mean}_k \operatorname{mean}_{j \in S_k} \|x_j - c_k\|}, \quad
        S_k = \{j : y_j \ne k,\ \|x_j - c_k\| < \bar d_k\}

    :math:`c_k` is the centre of identity k over both modalities, and :math:`\bar d_k` the mean
    distance of the images of others from it. An image at its centre is left out of the first mean.

    Source: discriminative centre loss (DCL) of PMT (Lu et al., AAAI 2023), released code.
    Deviation: who belongs together is known by labels; as released, by the order of the rows.

    Args:
        embeddings: Embeddings, at any scale that float32 can hold, shape (N, D).
        labels: Identity of every image, int64, shape (N,); at least two of them.

    Returns:
        A ratio of distances, at least 0, a scalar.
    """
    dtype = torch.promote_types(embeddings.dtype, torch.float32)
    same = labels[:, None] == labels[None, :]  # (N, N)
    with torch.autocast(embeddings.device.type, enabled=False):
        members, embeddings = same.to(dtype), embeddings.to(dtype)
        counts = members.sum(dim=1)
        centers = members @ embeddings / counts[:, None]  # of the row's identity
    distances = pairwise_distance(centers, embeddings)
    own = distances.diagonal()
    is_apart = own > NEAREST
    to_own = (own * is_apart).sum() / is_apart.sum().clamp(min=1)
    mean = (distances * ~same).sum(dim=1, keepdim=True) / (~same).sum(dim=1, keepdim=True)
    near = ~same & (distances < mean)
    to_near = (distances * near).sum(dim=1) / near.sum(dim=1).clamp(min=1)
    # an identity has a row for every image: each counts as one
    return to_own / ((to_near / counts).sum() / (1 / counts).sum())


@MODELS.register_module()
class DiscriminativeCenterLoss(nn.Module):
    """:func:`discriminative_center` as a module."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            embeddings: Embeddings before the BN-neck, not normalised, shape (N, D).
            labels: Identity of every image, int64, shape (N,).

        Returns:
            A scalar, at least 0.
        """
        return discriminative_center(embeddings, labels)
