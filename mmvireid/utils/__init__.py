from .batch_norm import kept_statistics
from .checkpoint import check_state_dict, load_checkpoint
from .distances import pairwise_distance
from .triplets import draw_cross_modality_triplets
from .wrappers import unwrap

__all__ = [
    'check_state_dict',
    'draw_cross_modality_triplets',
    'kept_statistics',
    'load_checkpoint',
    'pairwise_distance',
    'unwrap',
]
