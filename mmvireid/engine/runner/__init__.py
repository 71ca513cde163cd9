from .distributed import ReIDDistributedDataParallel, distributed
from .setup import clear_errors, parse_run_args, prepare_config, resume_from

__all__ = [
    'ReIDDistributedDataParallel',
    'clear_errors',
    'distributed',
    'parse_run_args',
    'prepare_config',
    'resume_from',
]
