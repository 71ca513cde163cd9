"""A critic of pairs of an image and a feature map."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.models.layers import init_convolutions
from mmvireid.registry import MODELS

from .strided_discriminator import HalvingDiscriminator, logit_layer, strided_layers


@MODELS.register_module()
class JointDiscriminator(HalvingDiscriminator):
    """Is this image real, and does this feature map belong to it? One logit per patch.

    Strided layers shrink the image, a 1x1 convolution thins the feature map, which is then
    resized (bilinearly) to the shrunk image; further strided layers judge both together.

    Source: AlignGAN (Wang et al., ICCV 2019), Eqs. 7 to 10, layers as released.
    Deviation: the released map is always resized to 16x16; here it follows the image, which is
    the same for images of 128x128.

    Args:
        feature_channels: Channels C of the feature maps, 2048 for ResNet-50.
        base_channels: Channels of the first layer on the image; they double from layer to layer,
            on through the joint layers.
        feature_width: Channels that a feature map is thinned to.
        num_image_layers: Number of layers with stride 2 on the image.
        num_joint_layers: Number of layers with stride 2 on both.

    Example:
        >>> critic = JointDiscriminator(16, base_channels=4, feature_width=4)
        >>> critic(torch.rand(2, 3, 64, 64), torch.rand(2, 16, 6, 3)).shape
        torch.Size([2, 1, 2, 2])
    """

    def __init__(
        self,
        feature_channels: int,
        base_channels: int = 64,
        feature_width: int = 64,
        num_image_layers: int = 3,
        num_joint_layers: int = 2,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        joint_base = base_channels * 2**num_image_layers
        self.image_layers = strided_layers(3, base_channels, num_image_layers)
        self.feature_layers = nn.Sequential(
            nn.Conv2d(feature_channels, feature_width, 1), nn.LeakyReLU(0.2, inplace=True)
        )
        joint_width = joint_base // 2 + feature_width
        self.joint_layers = strided_layers(joint_width, joint_base, num_joint_layers, True)
        self.to_logits = logit_layer(joint_base * 2 ** (num_joint_layers - 1))
        self.factor = 2 ** (num_image_layers + num_joint_layers)
        init_convolutions(self)

    def forward(self, images: Tensor, feature_map: Tensor) -> Tensor:
        """Judge pairs.

        Args:
            images: Shape (N, 3, H, W), in [-1, 1].
            feature_map: Row i goes with image i, shape (N, C, h, w); h and w are free.

        Returns:
            Logits (N, 1, h', w'), positive for real.
        """
        seen = self.image_layers(images)
        thin = self.feature_layers(feature_map)
        resized = F.interpolate(thin, seen.shape[2:], mode='bilinear')
        return self.to_logits(self.joint_layers(torch.cat([seen, resized], dim=1)))
