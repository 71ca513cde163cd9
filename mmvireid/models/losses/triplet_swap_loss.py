"""Triplet swap reconstruction: which codes are recombined, and what is asked of the results."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.registry import MODELS


class SwapTable(NamedTuple):
    """Recombinations :math:`G(d_j, a_i)` of the codes of N images, one per row.

    The rows come in blocks of N, one block per pair (i, j) of anchor, positive and negative:
    (a, a), (a, p), (p, a), (a, n), (n, a), (p, n), (n, p).

    Attributes:
        identity: Position of the image that gives the identity code, the j, shape (M,).
        ambiguous: Position of the image that gives the ambiguous code, the i, shape (M,).
        weights: Share of each row in an expectation over all pairs, sum 1, shape (M,).
    """

    identity: Tensor
    ambiguous: Tensor
    weights: Tensor


def swap_table(positive: Tensor, negative: Tensor, all_pairs: bool = True) -> SwapTable:
    """List the recombinations of triplets in which every image is the anchor once.

    Positives and negatives are images of the same batch, so (p, p) and (n, n) repeat rows of
    (a, a). They are not computed again: (a, a) has three times the weight instead, which is the
    same in expectation.

    Args:
        positive: Position of every anchor's positive, int64, shape (N,).
        negative: Position of every anchor's negative, int64, shape (N,).
        all_pairs: Whether pairs with a negative are listed too; reconstruction does not need them.

    Returns:
        The table, of 7N rows, or 3N without the negatives.

    Example:
        >>> table = swap_table(torch.tensor([1, 0]), torch.tensor([1, 0]), all_pairs=False)
        >>> table.identity.tolist(), table.ambiguous.tolist()
        ([0, 1, 1, 0, 0, 1], [0, 1, 0, 1, 1, 0])
    """
    anchor = torch.arange(len(positive), device=positive.device)
    pairs = [(anchor, anchor), (anchor, positive), (positive, anchor)]
    if all_pairs:
        pairs += [(anchor, negative), (negative, anchor), (positive, negative)]
        pairs.append((negative, positive))
    ambiguous, identity = (torch.cat(sources) for sources in zip(*pairs))
    weights = torch.ones(len(pairs), len(anchor), device=positive.device)
    weights[0] = 3.0
    return SwapTable(identity, ambiguous, (weights / weights.sum()).flatten())


def swap_reconstruction(
    rebuilt: Tensor, targets: Tensor, ambiguous: Tensor, is_visible: Tensor
) -> Tensor:
    r"""L1 distance of rebuilt maps from the maps that gave the ambiguous codes.

    .. math::
        \sum_{m \in \{V, I\}} \Bigl( \mathbb{E}_k |f^m_k - G(d_k, a^m_k)| +
        \mathbb{E}_{(i, j) \in \{(a, p), (p, a)\}} |f^m_i - G(d_j, a^m_i)| \Bigr)

    Source: DG-VAE (Pu et al., ACM MM 2020), Eq. 12, its superscripts read as its text says: the
    identity code of the other modality takes part, and f keeps the modality of a.
    Deviation: mean instead of sum over the elements of a map, so that the weight does not depend
    on its size.

    Args:
        rebuilt: Maps of the rows of a :func:`swap_table`; those with negatives are not used,
            shape (M, C, h, w).
        targets: Maps of the batch, with some of either modality, shape (N, C, h, w).
        ambiguous: The table's column, shape (M,).
        is_visible: Whether a row's ambiguous code is of a visible image, bool, shape (M,).

    Returns:
        Mean absolute difference; self and swapped, visible and infrared added; a scalar.
    """
    size = len(targets)
    rows = 3 * size  # (a, a), (a, p), (p, a)
    difference = (rebuilt[:rows].float() - targets[ambiguous[:rows]].float()).abs()
    per_row = difference.flatten(1).mean(dim=1)
    kinds = torch.stack([is_visible[:rows], ~is_visible[:rows]]).float()  # (2, 3N)
    parts = zip(per_row.split([size, 2 * size]), kinds.split([size, 2 * size], dim=1))
    return sum((kind @ part / kind.sum(dim=1)).sum() for part, kind in parts)


def cycle_consistency(recovered: Tensor, codes: Tensor, weights: Tensor) -> Tensor:
    """L1 distance of the codes of rebuilt maps from the codes that went in.

    Source: DG-VAE (Pu et al., ACM MM 2020), Eq. 13, one of its two parts.
    Deviation: mean instead of sum over the dimensions; the codes that went in are a target, not a
    way to make the loss smaller: no gradient reaches them from here.

    Args:
        recovered: Codes of the rebuilt maps, shape (M, D).
        codes: Codes that went in, shape (M, D).
        weights: Share of each row, sum 1, shape (M,).

    Returns:
        Weighted mean absolute difference, a scalar.
    """
    return ((recovered - codes.detach()).abs().mean(dim=1) * weights).sum()


def identity_consistency(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy of rebuilt maps with the identities of the identity codes that went in.

    Source: DG-VAE (Pu et al., ACM MM 2020), Eq. 14.

    Args:
        logits: Identity scores of the rebuilt maps, shape (M, C).
        labels: Identity of the image that gave the identity code, int64, shape (M,).
        weights: Share of each row, sum 1, shape (M,).

    Returns:
        Weighted mean in nats, a scalar.
    """
    return (F.cross_entropy(logits, labels, reduction='none') * weights).sum()


@MODELS.register_module()
class SwapReconstructionLoss(nn.Module):
    """:func:`swap_reconstruction` as a module."""

    def forward(
        self, rebuilt: Tensor, targets: Tensor, ambiguous: Tensor, is_visible: Tensor
    ) -> Tensor:
        """Compute the loss, arguments as in the function."""
        return swap_reconstruction(rebuilt, targets, ambiguous, is_visible)


@MODELS.register_module()
class CycleConsistencyLoss(nn.Module):
    """:func:`cycle_consistency` as a module."""

    def forward(self, recovered: Tensor, codes: Tensor, weights: Tensor) -> Tensor:
        """Compute the loss, arguments as in the function."""
        return cycle_consistency(recovered, codes, weights)


@MODELS.register_module()
class IdentityConsistencyLoss(nn.Module):
    """:func:`identity_consistency` as a module."""

    def forward(self, logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        """Compute the loss, arguments as in the function."""
        return identity_consistency(logits, labels, weights)
