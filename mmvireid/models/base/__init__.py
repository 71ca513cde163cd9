"""What every method builds on; nothing here knows a method."""

from .alternating_reid import AlternatingReID
from .base_reid import BaseReID
from .parts import PartBuilder
from .sizes import with_sizes
from .staged_reid import Stage, StagedReID
from .wrappers import unwrap

__all__ = [
    'AlternatingReID',
    'BaseReID',
    'PartBuilder',
    'Stage',
    'StagedReID',
    'unwrap',
    'with_sizes',
]
