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
    plugins,
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
    'plugins',
    'pretrained_init',
]
