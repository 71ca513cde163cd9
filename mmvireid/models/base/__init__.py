from .alternating_reid import AlternatingReID
from .base_reid import BaseReID
from .staged_reid import Stage, StagedReID

__all__ = ['AlternatingReID', 'BaseReID', 'Stage', 'StagedReID']
