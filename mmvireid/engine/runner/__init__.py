from .distributed import (
    ReIDDistributedDataParallel,
    ReIDSeparateDistributedDataParallel,
    distributed,
)
from .log_processor import LogProcessor
from .options import merge_options
from .resumable_loop import ResumableTrainLoop
from .runner import ReIDRunner, build_runner
from .setup import (
    clear_errors,
    code_commit,
    drop_helpers,
    find_plugins,
    forget_weights,
    package_version,
    prepare_config,
    read_config,
    resume_from,
    run_tool,
    settle_resume,
    use_autocast,
)
from .work_dir_lock import work_dir_lock

__all__ = [
    'LogProcessor',
    'ReIDDistributedDataParallel',
    'ReIDRunner',
    'ReIDSeparateDistributedDataParallel',
    'ResumableTrainLoop',
    'build_runner',
    'clear_errors',
    'code_commit',
    'distributed',
    'drop_helpers',
    'find_plugins',
    'forget_weights',
    'merge_options',
    'package_version',
    'prepare_config',
    'read_config',
    'resume_from',
    'run_tool',
    'settle_resume',
    'use_autocast',
    'work_dir_lock',
]
