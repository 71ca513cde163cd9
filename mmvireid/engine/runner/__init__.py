from .distributed import (
    ReIDDistributedDataParallel,
    ReIDSeparateDistributedDataParallel,
    distributed,
)
from .setup import clear_errors, parse_run_args, prepare_config, resume_from, run_tool

__all__ = [
    'ReIDDistributedDataParallel',
    'ReIDSeparateDistributedDataParallel',
    'clear_errors',
    'distributed',
    'parse_run_args',
    'prepare_config',
    'resume_from',
    'run_tool',
]
