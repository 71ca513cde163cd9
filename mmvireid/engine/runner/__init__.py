from .distributed import (
    ReIDDistributedDataParallel,
    ReIDSeparateDistributedDataParallel,
    distributed,
)
from .resumable_loop import ResumableTrainLoop
from .runner import ReIDRunner, build_runner
from .setup import (
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
    'ReIDDistributedDataParallel',
    'ReIDRunner',
    'ReIDSeparateDistributedDataParallel',
    'ResumableTrainLoop',
    'build_runner',
    'clear_errors',
    'distributed',
    'forget_weights',
    'parse_run_args',
    'prepare_config',
    'read_config',
    'resume_from',
    'run_tool',
    'use_autocast',
]
