"""Images near the centre of their identity, centres apart (MPANet)."""

from torch import Tensor, nn

from mmvireid.distances import pairwise_distance
from mmvireid.errors import InvalidValueError
from mmvireid.models.batches import identity_centers
from mmvireid.registry import MODELS


def center_cluster(features: Tensor, labels: Tensor, margin: float, eps: float = 1e-12) -> Tensor:
    r"""Pull images to the centre of their identity, and push centres apart.

    .. math::
        \frac1N \sum_i \|f_i - c_{y_i}\|
        + \frac{1}{P (P - 1)} \sum_{k \ne j} [m - \|c_k - c_j\|]_+

    A centre is the mean over both modalities.

    Source: centre cluster loss of MPANet (Wu et al., CVPR 2021). Deviations from its release:
    labels say who belongs together, where it takes rows of an identity for granted one after the
    other; squares are at least ``eps``, where its root has an infinite gradient at an image that is
    its centre; float32 at least, also inside autocast.

    Args:
        features: Features, not normalised, shape (N, D).
        labels: Identity of every image, int64, shape (N,); at least two identities.
        margin: The :math:`m` above, in units of the distance.
        eps: Lower bound of the squared distances.

    Returns:
        A scalar, never negative.

    Example:
        >>> import torch
        >>> features = torch.tensor([[0.0], [0.2], [0.5], [0.7]])
        >>> center_cluster(features, torch.tensor([0, 0, 1, 1]), margin=0.7)  # 0.1 + (0.7 - 0.5)
        tensor(0.3000)
    """
    centers, weights = identity_centers(features, labels)
    pull = (features - centers).square().sum(dim=1).clamp(min=eps).sqrt().mean()
    gaps = (margin - pairwise_distance(centers, centers, eps=eps)).clamp(min=0)  # (N, N)
    others = labels[:, None] != labels[None, :]
    num_ids = weights.sum()
    push = (weights[:, None] * weights * gaps * others).sum() / (num_ids * (num_ids - 1))
    return pull + push


@MODELS.register_module()
class CenterClusterLoss(nn.Module):
    """:func:`center_cluster` as a module.

    Args:
        margin: Distance of two centres that costs nothing.

    Raises:
        ValueError: If it is negative.
    """

    def __init__(self, margin: float = 0.7) -> None:
        super().__init__()
        if margin < 0:
            raise InvalidValueError(f'CenterClusterLoss: `margin` is {margin}, expected 0 or more.')
        self.margin = margin

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            features: Features, shape (N, D).
            labels: Identity of every image, int64, shape (N,).

        Returns:
            A scalar, never negative.
        """
        return center_cluster(features, labels, self.margin)
