from .batch_norm import kept_statistics
from .centers import ModalityCenters, modality_centers, split_modalities
from .checkpoint import check_state_dict, load_checkpoint
from .companion import Companion
from .distances import pairwise_distance
from .triplets import check_cross_modality_batch, draw_cross_modality_triplets
from .wrappers import unwrap

__all__ = [
    'Companion',
    'ModalityCenters',
    'check_cross_modality_batch',
    'check_state_dict',
    'draw_cross_modality_triplets',
    'kept_statistics',
    'load_checkpoint',
    'modality_centers',
    'pairwise_distance',
    'split_modalities',
    'unwrap',
]
