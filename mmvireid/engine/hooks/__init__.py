from .epoch_seed_hook import EpochSeedHook
from .finite_loss_hook import FiniteLossHook
from .plain_checkpoint_hook import PlainCheckpointHook
from .preflight_hook import PreflightHook
from .quiet_hook import QuietHook
from .stage_hook import StageHook

__all__ = [
    'EpochSeedHook',
    'FiniteLossHook',
    'PlainCheckpointHook',
    'PreflightHook',
    'QuietHook',
    'StageHook',
]
