"""Many trainings and tests side by side, and the tables that are made of them."""

from .cells import RULES, SIZES, Cell, config_hash, final_config
from .lines import add_line, merge_lines, read_lines, sign

__all__ = [
    'RULES',
    'SIZES',
    'Cell',
    'add_line',
    'config_hash',
    'final_config',
    'merge_lines',
    'read_lines',
    'sign',
]
