from .checkpoint import check_state_dict, load_checkpoint
from .distances import pairwise_distance

__all__ = ['check_state_dict', 'load_checkpoint', 'pairwise_distance']
