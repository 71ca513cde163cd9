"""A second vector of an image, made from the first."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.registry import MODELS


@MODELS.register_module()
class SoftmaxPerceptron(BaseModule):
    r"""Add to a vector where it is largest, and put it through a perceptron.

    .. math::
        \hat v = W_2\, \mathrm{gelu}(W_1\, \mathrm{LN}(v + \mathrm{softmax}(v)) + b_1) + b_2

    Dropout follows both layers.

    Source: the branch CSS of DNS (ECCV 2024), as released.

    Args:
        in_channels: Size D of the vectors.
        expansion: Size of the hidden layer over D.
        dropout: Probability of dropout.

    Example:
        >>> import torch
        >>> SoftmaxPerceptron(8)(torch.rand(4, 8)).shape
        torch.Size([4, 8])
    """

    def __init__(
        self,
        in_channels: int,
        expansion: int = 4,
        dropout: float = 0.01,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        hidden = expansion * in_channels
        self.layers = nn.Sequential(
            nn.LayerNorm(in_channels),
            nn.Linear(in_channels, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, in_channels),
            nn.Dropout(dropout),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """Make the second vectors: (N, D) -> (N, D), float32."""
        return self.layers(vectors + vectors.softmax(dim=1)).float()
