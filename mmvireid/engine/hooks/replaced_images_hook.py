"""Which training images were replaced, because they could not be read."""

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvireid.registry import HOOKS

#: Where the message hub, and so every checkpoint, keeps their paths.
KEY = 'replaced_images'


@HOOKS.register_module()
class ReplacedImagesHook(Hook):
    """Warn of every training image that was replaced, once, and list all after the training.

    A data set replaces images that cannot be read with ``on_unreadable='replace'``; without it
    there is nothing to say. The list goes into the checkpoints, so that a resumed run ends with
    the whole of it, and it is that of all processes.
    """

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Look for replaced images in the batch."""
        known = runner.message_hub.get_info(KEY, [])
        samples = data_batch.get('data_samples', ()) if isinstance(data_batch, dict) else ()
        found = {sample.get('replaced') for sample in samples}
        new = sorted(found - {None, *known})
        for path in new:
            runner.logger.warning(
                f'{path} cannot be read: another image of the same identity and modality takes its '
                'place.'
            )
        if new:
            runner.message_hub.update_info(KEY, [*known, *new])

    def after_train(self, runner: Runner) -> None:
        """List all of them."""
        lists = all_gather_object(runner.message_hub.get_info(KEY, []))
        paths = sorted({path for paths in lists for path in paths})
        if paths:
            runner.logger.warning(
                f'{len(paths)} images could not be read and were replaced by others of the same '
                'identity and modality:\n' + '\n'.join(paths)
            )
