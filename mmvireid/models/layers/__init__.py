"""Layers that any network may use: normalisation, convolutions, sizes and constants of ImageNet."""

from .alignment import Alignment, align
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
    'Alignment',
    'Companion',
    'PatchEmbedding',
    'RandomHoles',
    'TransformerBlock',
    'align',
    'check_reduced_size',
    'copy_to',
    'init_convolutions',
    'kept_statistics',
    'resize_positions',
    'untuned_convolutions',
]
