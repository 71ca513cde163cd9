"""What a command needs before anything heavy is imported: its arguments and its screen."""

from .imports import heavy_imports
from .options import OptionsAction, add_options_argument, read_value
from .parser import (
    CommandParser,
    add_rerank_argument,
    parse_run_args,
    wants_traceback,
    wants_whole_log,
)
from .screen import Brief, steady_screen

__all__ = [
    'Brief',
    'CommandParser',
    'OptionsAction',
    'add_options_argument',
    'add_rerank_argument',
    'heavy_imports',
    'parse_run_args',
    'read_value',
    'steady_screen',
    'wants_traceback',
    'wants_whole_log',
]
