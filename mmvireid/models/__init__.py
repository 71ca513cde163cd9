from . import (
    backbones,
    base,
    data_preprocessors,
    discriminators,
    generators,
    heads,
    losses,
    methods,
    necks,
    pretrained_init,
)

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
