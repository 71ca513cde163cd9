from mmvireid.models import (
    augmentations,
    backbones,
    base,
    data_preprocessors,
    discriminators,
    generators,
    heads,
    losses,
    methods,
    necks,
)

from .base import pretrained_init

__all__ = [
    'augmentations',
    'backbones',
    'base',
    'data_preprocessors',
    'discriminators',
    'generators',
    'heads',
    'losses',
    'methods',
    'necks',
    'pretrained_init',
]
