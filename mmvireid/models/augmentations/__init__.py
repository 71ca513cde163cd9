"""What changes training images on the device, image by image."""

from .base_augmentation import SPACES, BaseAugmentation
from .channel_mixing import (
    GREY_WEIGHTS,
    ChannelCopyAugmentation,
    ChannelMixing,
    ChannelScalingAugmentation,
    GreyAugmentation,
    ModerateEnhancementAugmentation,
)
from .choice import ChoiceAugmentation
from .erasing import ErasingAugmentation
from .geometry import FlipAugmentation, PadCropAugmentation
from .lighting import BlurAugmentation, LightJitterAugmentation
from .radical_enhancement import RadicalEnhancementAugmentation
from .rectangles import Rectangles, draw_rectangles, rectangle_masks

__all__ = [
    'GREY_WEIGHTS',
    'SPACES',
    'BaseAugmentation',
    'BlurAugmentation',
    'ChannelCopyAugmentation',
    'ChannelMixing',
    'ChannelScalingAugmentation',
    'ChoiceAugmentation',
    'ErasingAugmentation',
    'FlipAugmentation',
    'GreyAugmentation',
    'LightJitterAugmentation',
    'ModerateEnhancementAugmentation',
    'PadCropAugmentation',
    'RadicalEnhancementAugmentation',
    'Rectangles',
    'draw_rectangles',
    'rectangle_masks',
]
