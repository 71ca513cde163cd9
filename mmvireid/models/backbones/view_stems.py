"""Stems for the views of a modality's images."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ViewStems(nn.ModuleList):
    """A stem for each view in training; in evaluation, where there are no views, all of them.

    Source: MSCMNet (Pattern Recognition 2024), as released.

    Args:
        stems: One for each view of the modality, in the order of the views in a batch.

    Example:
        >>> stems = ViewStems([nn.ReLU(), nn.Identity()])
        >>> views = torch.tensor([-1.0, -3.0])
        >>> stems(views), stems.eval()(views)
        (tensor([ 0., -3.]), tensor([-0.5000, -1.5000]))
    """

    def __init__(self, stems: Sequence[nn.Module]) -> None:
        super().__init__(stems)

    def forward(self, images: Tensor) -> Tensor:
        """Embed the images of one modality.

        Args:
            images: Shape (N, 3, H, W): in training one view after the other, equally many of each,
                which the method has to make sure of.

        Returns:
            Stem maps (N, C, h, w): in evaluation the mean over the stems.
        """
        if self.training:
            return torch.cat([stem(view) for stem, view in zip(self, images.chunk(len(self)))])
        return torch.stack([stem(images) for stem in self]).mean(dim=0)
