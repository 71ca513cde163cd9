"""A critic of patches."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.registry import MODELS


@MODELS.register_module()
class PatchDiscriminator(BaseModule):
    """PatchGAN: one logit per patch, real or fake.

    4x4 convolutions with LeakyReLU (slope 0.2), ``num_layers`` of them with stride 2, then two
    with stride 1; channels double at each layer, up to 8 times the first one's. BatchNorm behind
    all but the first and the last.

    Source: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks"
    (CVPR 2017); with 3 strided layers a logit sees 70 x 70 pixels.

    Args:
        in_channels: Channels of what it judges.
        base_channels: Channels of the first layer.
        num_layers: Number of layers with stride 2.

    Example:
        >>> import torch
        >>> PatchDiscriminator(3, base_channels=8)(torch.rand(2, 3, 64, 32)).shape
        torch.Size([2, 1, 6, 2])
    """

    def __init__(
        self,
        in_channels: int,
        base_channels: int = 64,
        num_layers: int = 3,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        layers = [nn.Conv2d(in_channels, base_channels, 4, 2, 1), nn.LeakyReLU(0.2)]
        channels = base_channels
        for index in range(1, num_layers + 1):
            width = base_channels * min(2**index, 8)
            stride = 2 if index < num_layers else 1
            layers += [
                nn.Conv2d(channels, width, 4, stride, 1, bias=False),
                nn.BatchNorm2d(width),
                nn.LeakyReLU(0.2),
            ]
            channels = width
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, 4, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Judge images or maps (N, C, H, W): logits (N, 1, h, w), positive for real."""
        return self.layers(images)
