"""Layers that any network may use: normalisation, convolutions, sizes and constants of ImageNet."""

from .batch_norm import kept_statistics
from .companion import Companion
from .convolutions import check_reduced_size, init_convolutions, untuned_convolutions
from .imagenet import IMAGENET_MEAN, IMAGENET_STD
from .random_holes import RandomHoles
from .transfer import copy_to
from .transformer import PatchEmbedding, TransformerBlock, resize_positions

__all__ = [
    'IMAGENET_MEAN',
    'IMAGENET_STD',
    'Companion',
    'PatchEmbedding',
    'RandomHoles',
    'TransformerBlock',
    'check_reduced_size',
    'copy_to',
    'init_convolutions',
    'kept_statistics',
    'resize_positions',
    'untuned_convolutions',
]
