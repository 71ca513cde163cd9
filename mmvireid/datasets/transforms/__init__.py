from .coloring import RandomChannelGain
from .cropping import RandomPadCrop
from .erasing import RandomErasing
from .formatting import PackReIDInputs
from .loading import LoadReIDImage

__all__ = [
    'LoadReIDImage',
    'PackReIDInputs',
    'RandomChannelGain',
    'RandomErasing',
    'RandomPadCrop',
]
