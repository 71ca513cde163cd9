from .checkpoint_hook import CheckpointHook
from .discriminator_watchdog_hook import DiscriminatorWatchdogHook
from .ema_hook import EMAHook
from .finite_loss_hook import FiniteLossHook
from .generation_hook import GenerationHook
from .iteration_seed_hook import IterationSeedHook
from .logger_hook import LoggerHook
from .plain_checkpoint_hook import PlainCheckpointHook
from .preflight_hook import PreflightHook
from .quiet_hook import QuietHook
from .recovery_hook import RecoveryHook
from .replaced_images_hook import ReplacedImagesHook
from .stage_hook import StageHook
from .teacher_hook import TeacherHook

__all__ = [
    'CheckpointHook',
    'DiscriminatorWatchdogHook',
    'EMAHook',
    'FiniteLossHook',
    'GenerationHook',
    'IterationSeedHook',
    'LoggerHook',
    'PlainCheckpointHook',
    'PreflightHook',
    'QuietHook',
    'RecoveryHook',
    'ReplacedImagesHook',
    'StageHook',
    'TeacherHook',
]
