from .batch_norm import kept_statistics
from .centers import ModalityCenters, modality_centers, split_modalities
from .checkpoint import check_state_dict, load_checkpoint, load_weights
from .code_combinations import FAKE, Combinations, Groups, combine_codes, group_sizes, split_singles
from .companion import Companion
from .convolutions import check_reduced_size, init_convolutions
from .distances import pairwise_distance, power_of_two_scale, unit_rows
from .files import check_output, damage_of, new_file, write_atomically
from .imagenet import IMAGENET_MEAN, IMAGENET_STD
from .pairs import identity_shift, paired_labels
from .screen import steady_screen
from .sizes import with_sizes
from .text import read_text
from .triplets import check_cross_modality_batch, draw_cross_modality_triplets
from .wrappers import unwrap

__all__ = [
    'FAKE',
    'IMAGENET_MEAN',
    'IMAGENET_STD',
    'Combinations',
    'Companion',
    'Groups',
    'ModalityCenters',
    'check_cross_modality_batch',
    'check_output',
    'check_reduced_size',
    'check_state_dict',
    'combine_codes',
    'damage_of',
    'draw_cross_modality_triplets',
    'group_sizes',
    'identity_shift',
    'init_convolutions',
    'kept_statistics',
    'load_checkpoint',
    'load_weights',
    'modality_centers',
    'new_file',
    'paired_labels',
    'pairwise_distance',
    'power_of_two_scale',
    'read_text',
    'split_modalities',
    'split_singles',
    'steady_screen',
    'unit_rows',
    'unwrap',
    'with_sizes',
    'write_atomically',
]
