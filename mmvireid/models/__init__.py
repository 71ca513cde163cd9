from mmvireid.models import (
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
