from .discriminator_watchdog_hook import DiscriminatorWatchdogHook
from .epoch_seed_hook import EpochSeedHook
from .finite_loss_hook import FiniteLossHook
from .generation_hook import GenerationHook
from .plain_checkpoint_hook import PlainCheckpointHook
from .preflight_hook import PreflightHook
from .quiet_hook import QuietHook
from .stage_hook import StageHook

__all__ = [
    'DiscriminatorWatchdogHook',
    'EpochSeedHook',
    'FiniteLossHook',
    'GenerationHook',
    'PlainCheckpointHook',
    'PreflightHook',
    'QuietHook',
    'StageHook',
]
