"""Averaged weights that go through interruption, resume and test."""

from mmengine.hooks import EMAHook as MMEMAHook
from mmengine.runner import Runner

from mmvireid.registry import HOOKS
from mmvireid.storage import check_state_dict

AVERAGED = 'ema_state_dict'


@HOOKS.register_module()
class EMAHook(MMEMAHook):
    """MMEngine's hook, which trains one model and validates and tests the average of its weights.

    A checkpoint has the averaged weights under ``state_dict``, where every command finds them, and
    the trained ones under ``ema_state_dict``, where a resumed run does.

    - A checkpoint that is written during a validation (``RecoveryHook``, after a signal), while
      the two have changed places, has them where they belong too; MMEngine's has not.
    - What does not fit is refused before anything is copied.

    Args:
        As in MMEngine's ``EMAHook``.
    """

    _swapped = False

    def _swap_ema_parameters(self) -> None:
        super()._swap_ema_parameters()
        self._swapped = not self._swapped

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Put the averaged weights in the place of the trained ones, unless they are there."""
        if self._swapped:
            checkpoint[AVERAGED] = self.ema_model.state_dict()
        else:
            super().before_save_checkpoint(runner, checkpoint)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take the averaged weights, and on resume give the trained ones back.

        Raises:
            ValueError: If they do not fit the model.
        """
        if runner._resume and AVERAGED in checkpoint:
            own = self.ema_model.state_dict()
            check_state_dict(own, checkpoint[AVERAGED], source=f'`{AVERAGED}` of the checkpoint')
            own = self.src_model.state_dict()
            check_state_dict(own, checkpoint['state_dict'], source='the checkpoint')
        super().after_load_checkpoint(runner, checkpoint)
