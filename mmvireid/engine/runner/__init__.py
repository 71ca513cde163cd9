from .distributed import (
    ReIDDistributedDataParallel,
    ReIDSeparateDistributedDataParallel,
    distributed,
)
from .options import add_options_argument, merge_options
from .resumable_loop import ResumableTrainLoop
from .setup import (
    CommandParser,
    clear_errors,
    forget_weights,
    parse_run_args,
    prepare_config,
    read_config,
    resume_from,
    run_tool,
    use_autocast,
)

__all__ = [
    'CommandParser',
    'ReIDDistributedDataParallel',
    'ReIDSeparateDistributedDataParallel',
    'ResumableTrainLoop',
    'add_options_argument',
    'clear_errors',
    'distributed',
    'forget_weights',
    'merge_options',
    'parse_run_args',
    'prepare_config',
    'read_config',
    'resume_from',
    'run_tool',
    'use_autocast',
]
