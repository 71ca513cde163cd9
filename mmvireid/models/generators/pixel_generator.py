"""From a visible image to one of a learned third modality."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.registry import MODELS


@MODELS.register_module()
class PixelGenerator(BaseModule):
    r"""Every pixel by itself: a weighted sum of its channels, ReLU, and three multiples of that.

    .. math:: x'_c = v_c\, [\textstyle\sum_k w_k x_k + b]_+ + b'_c

    10 parameters. All :math:`w` and :math:`v` have one value at the start, and both :math:`b` are
    0: a grey image. Pixels with a negative sum, as dark ones have on normalised images, are all
    made the same.

    Source: X-Modality (Li et al., AAAI 2020), released code.

    Args:
        start: The value at the start.

    Example:
        >>> import torch
        >>> images = PixelGenerator()(torch.ones(1, 3, 1, 1)).flatten()
        >>> [round(value, 4) for value in images.tolist()]  # 0.333 * 0.999
        [0.3327, 0.3327, 0.3327]
    """

    def __init__(self, start: float = 0.333, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.layers = nn.Sequential(nn.Conv2d(3, 1, 1), nn.ReLU(), nn.Conv2d(1, 3, 1))
        for layer in (self.layers[0], self.layers[2]):
            nn.init.constant_(layer.weight, start)
            nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Make images (N, 3, H, W) of normalised images of the same shape."""
        return self.layers(images)
