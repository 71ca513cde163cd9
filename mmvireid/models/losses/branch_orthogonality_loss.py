"""How much alike the embeddings are that were made of one image."""

from collections.abc import Sequence
from itertools import combinations

from torch import Tensor, nn

from mmvireid.registry import MODELS


def branch_orthogonality(embeddings: Sequence[Tensor]) -> Tensor:
    r"""Inner products of the branches' embeddings of the same image.

    .. math:: \frac{1}{B N} \sum_i \sum_{1 < a < b \le B} e_i^a \cdot e_i^b

    for B embeddings of an image, the first of which is its own and is left out.

    Source: DEEN (Zhang and Wang, CVPR 2023), as released: not normalised, and divided by the
    number of all rows, those of the images' own embeddings too. It may be negative, and falls
    without bound where two embeddings point to opposite sides; embeddings that are pooled behind
    a ReLU do not.

    Args:
        embeddings: The images' own, then those of each branch, each (N, D).

    Returns:
        A scalar.
    """
    # sums are in float32 also inside autocast, where necks give float32
    products = [(a * b).sum() for a, b in combinations(embeddings[1:], 2)]
    return sum(products) / (len(embeddings) * len(embeddings[0]))


@MODELS.register_module()
class BranchOrthogonalityLoss(nn.Module):
    """:func:`branch_orthogonality` as a module."""

    def forward(self, embeddings: Sequence[Tensor]) -> Tensor:
        """Compute the loss of embeddings (N, D) of the images and of each branch: a scalar."""
        return branch_orthogonality(embeddings)
