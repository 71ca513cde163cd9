"""Checkpoints without pickled objects, and a check that a checkpoint fits."""

from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner
from mmengine.runner.checkpoint import get_state_dict

from mmvireid.datasets import check_trained_on
from mmvireid.errors import InvalidValueError
from mmvireid.registry import HOOKS
from mmvireid.storage.checkpoint import check_state_dict, from_plain, register_safe_loader, to_plain

from .ema_hook import AVERAGED

register_safe_loader()


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Write checkpoints that load with ``weights_only=True``, and refuse those that do not fit.

    MMEngine's own checkpoints hold pickled log histories, which today's PyTorch rightly refuses
    to read, and its loader skips weights that do not fit with a line in the log. With this hook
    a file holds only tensors and plain values, and a misfit stops the run; so do test images
    that contradict what the checkpoint knows about its training data.

    Args:
        strict: Whether every weight must fit. ``False`` is for starting a new model from parts
            of another one (``load_from``); what does not fit is then skipped with a warning.
        max_history: Number of logged values kept per key. MMEngine keeps a million, and copies
            them all at each iteration.
    """

    priority = 'LOWEST'

    def __init__(self, strict: bool = True, max_history: int = 10_000) -> None:
        self.strict = strict
        self.max_history = max_history
        self.trained_on = None

    def before_train(self, runner: Runner) -> None:
        """Note what is trained on from now on."""
        self.trained_on = getattr(runner.train_dataloader.dataset, 'metainfo', None)

    def before_test(self, runner: Runner) -> None:
        """Check that the test images contradict nothing that the weights were trained on.

        Raises:
            ValueError: If they do, see :func:`~mmvireid.datasets.check_trained_on`.
        """
        dataset = runner.test_loop.dataloader.dataset
        check_trained_on(dataset, self.trained_on, 'the checkpoint')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Turn everything into plain values, and note which split validation used."""
        for history in runner.message_hub.log_scalars.values():
            history.max_length = self.max_history
        if runner.val_loop is not None:
            metainfo = getattr(runner.val_loop.dataloader.dataset, 'metainfo', {})
            checkpoint['meta']['validation_split'] = metainfo.get('split')
        to_plain(checkpoint)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check that the weights fit, before any of them is copied.

        Raises:
            ValueError: If one does not, see :func:`~mmvireid.storage.checkpoint.check_state_dict`,
                or if a run is to go on from a file that has weights only, or averaged ones in the
                place of those that it trained.
        """
        if runner._resume and 'optimizer' not in checkpoint:
            raise InvalidValueError(
                'PlainCheckpointHook: the checkpoint to resume from has no key `optimizer` (those '
                'named `best_` have weights only). Resume from another one, or begin a new run '
                'with its weights (`load_from`).'
            )
        if runner._resume and AVERAGED in checkpoint and not self._averages(runner):
            raise InvalidValueError(
                'PlainCheckpointHook: `custom_hooks` has no EMAHook, expected that of the run that '
                'wrote the checkpoint, which has averaged weights beside those that it trained. '
                'Put it back, or begin a new run with the averaged ones (`load_from`).'
            )
        from_plain(checkpoint)
        self.trained_on = checkpoint.get('meta', {}).get('dataset_meta')
        if self.strict:
            # MMEngine's, because parts of the model may be wrapped too
            own = get_state_dict(runner.model)
            check_state_dict(own, checkpoint['state_dict'], source='the checkpoint')

    @staticmethod
    def _averages(runner: Runner) -> bool:
        return any(isinstance(hook, EMAHook) for hook in runner.hooks)
