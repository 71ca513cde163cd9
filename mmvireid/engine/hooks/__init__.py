from .plain_checkpoint_hook import PlainCheckpointHook
from .preflight_hook import PreflightHook
from .quiet_hook import QuietHook

__all__ = ['PlainCheckpointHook', 'PreflightHook', 'QuietHook']
