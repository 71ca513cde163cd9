"""Files that are written whole or not at all, and read without trust."""

from .checkpoint import check_state_dict, load_checkpoint, load_weights
from .files import check_output, damage_of, new_file, write_atomically
from .text import read_text

__all__ = [
    'check_output',
    'check_state_dict',
    'damage_of',
    'load_checkpoint',
    'load_weights',
    'new_file',
    'read_text',
    'write_atomically',
]
