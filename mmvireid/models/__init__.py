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
]
