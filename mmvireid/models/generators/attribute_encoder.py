"""From an image to its style, pose and illumination."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.models.necks import AveragePooling
from mmvireid.registry import MODELS


@MODELS.register_module()
class AttributeEncoder(BaseModule):
    """A pooled feature map, divided into the attributes of :class:`Codes`.

    The channels are divided by block first and by attribute within a block, so that every block
    of a decoder gets some of each attribute. Codes are not negative behind a rectifier.

    Source: Hi-CMD (Choi et al., CVPR 2020), layout as released: four blocks, each with 256
    channels of style, 128 of pose and 128 of illumination.

    Args:
        extractor: Config of the network that makes the map.
        num_blocks: Residual blocks B of the decoder.
        shares: Shares of style, pose and illumination in a block.

    Attributes:
        block_size (int): Channels of all attributes together in a block.
        style_size (int): Channels of the style in all blocks together.

    Raises:
        ValueError: If the channels of the map cannot be divided so.
    """

    def __init__(
        self,
        extractor: dict,
        num_blocks: int = 4,
        shares: Sequence[int] = (2, 1, 1),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(shares) != 3 or min(shares) < 1 or num_blocks < 1:
            raise InvalidValueError(
                f'AttributeEncoder: `shares` is {tuple(shares)} and `num_blocks` {num_blocks}, '
                'expected positive integers, three shares: of style, pose and illumination.'
            )
        self.extractor = MODELS.build(extractor)
        self.pooling = AveragePooling()
        channels, parts = self.extractor.out_channels, num_blocks * sum(shares)
        if channels % parts:
            raise InvalidValueError(
                f'AttributeEncoder: `num_blocks` is {num_blocks} and `shares` {tuple(shares)}, '
                f'expected that {num_blocks} x {sum(shares)} = {parts} divides {channels}, the '
                'channels of its extractor: every block of the decoder gets its shares of them.'
            )
        self.num_blocks = num_blocks
        self.block_size = channels // num_blocks
        self.sizes = [share * channels // parts for share in shares]
        self.style_size = num_blocks * self.sizes[0]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode images (N, 3, H, W) to style, pose and illumination, each (N, B, its size)."""
        attributes = self.pooling(self.extractor(images)).unflatten(1, (self.num_blocks, -1))
        return attributes.split(self.sizes, dim=2)
