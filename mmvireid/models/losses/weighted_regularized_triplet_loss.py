"""Weighted regularised triplet loss (WRT) of AGW."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance
from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

#: How the softmax weights are normalised, see :func:`weighted_regularized_triplet`.
EPS_MODES = ('released', 'softmin')


def _released_weights(scores: Tensor, mask: Tensor, shift: Tensor | float) -> Tensor:
    """Softmax over ``mask`` as released: explicit shift, 1e-6 in the denominator. (N, N)"""
    exponentials = (scores - shift).masked_fill(~mask, -torch.inf).exp()
    return exponentials / (exponentials.sum(dim=1, keepdim=True) + 1e-6)


def weighted_distances(
    distances: Tensor, labels: Tensor, eps_mode: str = 'released'
) -> tuple[Tensor, Tensor]:
    """Weighted distance of every anchor from its positives, and from its negatives.

    See :func:`weighted_regularized_triplet`.

    Args:
        distances: Distances within the batch, shape (N, N).
        labels: Identity of every image, int64, shape (N,).
        eps_mode: ``'released'`` or ``'softmin'``.

    Returns:
        Both (N,).

    Raises:
        ValueError: If ``eps_mode`` is not one of the two.
    """
    same = labels[:, None] == labels[None, :]  # (N, N)
    if eps_mode == 'released':
        shift = distances.masked_fill(~same, 0).amax(dim=1, keepdim=True)
        positive_weights = _released_weights(distances, same, shift)
        negative_weights = _released_weights(-distances, ~same, 0.0)
    elif eps_mode == 'softmin':
        # A finite filler: with no negative at all, minus infinity would give NaN weights.
        lowest = torch.finfo(distances.dtype).min
        positive_weights = distances.masked_fill(~same, lowest).softmax(dim=1) * same
        negative_weights = (-distances).masked_fill(same, lowest).softmax(dim=1) * ~same
    else:
        raise InvalidValueError(
            f'weighted_distances: `eps_mode` is {eps_mode!r}, expected one of {EPS_MODES}.'
        )
    positive = (positive_weights * distances).sum(dim=1)
    negative = (negative_weights * distances).sum(dim=1)
    return positive, negative


def weighted_regularized_triplet(
    distances: Tensor, labels: Tensor, eps_mode: str = 'released'
) -> Tensor:
    r"""Softplus of the weighted positive minus the weighted negative distance.

    .. math::
        \frac1N \sum_i \ln\Bigl(1 + \exp\bigl(
        \textstyle\sum_{j \in P_i} w^+_{ij} d_{ij} - \sum_{k \in N_i} w^-_{ik} d_{ik}
        \bigr)\Bigr),
        \quad w^+_{ij} \propto e^{d_{ij}},\; w^-_{ik} \propto e^{-d_{ik}}

    The sets are those of the anchor's own row; :math:`P_i` holds every image of the identity,
    the anchor included. Gradients flow through the weights.

    Source: AGW (Ye et al., TPAMI 2021), Eq. for :math:`L_{wrt}`.
    Deviation: the equation's weights are a plain softmax. The released code adds 1e-6 to their
    denominator and shifts only the positive ones, so that the negative term fades out when
    distances exceed about 14 + ln(number of negatives); ``'released'`` does the same and is what
    published AGW figures were trained with. ``'softmin'`` is the equation.

    Args:
        distances: Distances within the batch, shape (N, N).
        labels: Identity of every image, int64, shape (N,).
        eps_mode: ``'released'`` or ``'softmin'``.

    Returns:
        Mean over the N anchors, positive, a scalar.

    Raises:
        ValueError: If ``eps_mode`` is not one of the two.
    """
    positive, negative = weighted_distances(distances, labels, eps_mode)
    return F.softplus(positive - negative).mean()


@MODELS.register_module()
class WeightedRegularizedTripletLoss(nn.Module):
    """:func:`weighted_regularized_triplet` on the Euclidean distances of embeddings.

    Args:
        eps_mode: ``'released'`` or ``'softmin'``.
        normalize: Whether to L2-normalise the embeddings first (off in AGW's released code).

    Raises:
        ValueError: If ``eps_mode`` is unknown.
    """

    def __init__(self, eps_mode: str = 'released', normalize: bool = False) -> None:
        super().__init__()
        if eps_mode not in EPS_MODES:
            raise InvalidValueError(
                f'WeightedRegularizedTripletLoss: `eps_mode` is {eps_mode!r}, '
                f'expected one of {EPS_MODES}.'
            )
        self.eps_mode = eps_mode
        self.normalize = normalize

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            embeddings: Embeddings before the BN-neck, shape (N, D).
            labels: Identity of every image, int64, shape (N,).

        Returns:
            A scalar, positive.
        """
        if self.normalize:
            embeddings = F.normalize(embeddings, dim=1)
        distances = pairwise_distance(embeddings, embeddings)
        return weighted_regularized_triplet(distances, labels, self.eps_mode)
