"""A training loop that goes on in the middle of an epoch."""

import warnings

from mmengine.runner import EpochBasedTrainLoop
from torch import nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import LOOPS


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """MMEngine's loop over epochs, which also resumes from a checkpoint within an epoch.

    The batches that the interrupted run has had are drawn again, but not loaded, and not trained
    on: the batch sampler's attribute ``start`` says how many. Where the run is, is the number of
    iterations alone; what is random in an iteration is a function of it (``IterationSeedHook``).

    Args:
        As in MMEngine's ``EpochBasedTrainLoop``.
    """

    @property
    def batches_done(self) -> int:
        """How many batches of the current epoch are behind."""
        return self._iter - self._epoch * len(self.dataloader)

    def run(self) -> nn.Module:
        """Train; first validate what the interrupted run had no time for.

        A checkpoint from the end of an epoch was written before the validation of that epoch, so
        the validation may have been lost.

        Returns:
            The trained model.

        Raises:
            ValueError: If the checkpoint is of a run whose epochs have another length.
        """
        if not 0 <= self.batches_done <= len(self.dataloader):
            raise InvalidValueError(
                f'ResumableTrainLoop: the checkpoint is from iteration {self._iter}, in epoch '
                f'{self._epoch + 1}, but an epoch has {len(self.dataloader)} batches now. Resume '
                'with the data, batch size and number of processes that the run had, or begin a '
                'new run with its weights (`load_from`).'
            )
        self.runner.call_hook('before_train')
        if self.batches_done == 0 and self._epoch > 0:
            self._decide_current_val_interval()
            self._validate()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._decide_current_val_interval()
            self._validate()
        self.runner.call_hook('after_train')
        return self.runner.model

    def _validate(self) -> None:
        """Run the validation where the epoch that has ended asks for it."""
        is_due = self._epoch >= self.val_begin and (
            self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs
        )
        if self.runner.val_loop is not None and is_due:
            self.runner.val_loop.run()

    def run_epoch(self) -> None:
        """Run one epoch, or what is left of it.

        Raises:
            ValueError: If something is left of it and the batch sampler cannot begin there.
        """
        done = self.batches_done
        sampler = self.dataloader.batch_sampler
        if done > 0 and not hasattr(sampler, 'start'):
            raise InvalidValueError(
                f'ResumableTrainLoop: the checkpoint is {done} batches into an epoch, and '
                f'`batch_sampler` is a {type(sampler).__name__}, expected one that can begin in '
                'the middle (an attribute `start`), or a checkpoint from the end of an epoch.'
            )
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        if done > 0:
            sampler.start = done
        batches = iter(self.dataloader)
        if done > 0:
            sampler.start = 0
        for index, batch in enumerate(batches, start=done):
            self.run_iter(index, batch)
        with warnings.catch_warnings():
            # schedulers step before any optimiser where only the end of an epoch was left
            warnings.filterwarnings('ignore', r'Detected call of `scheduler\.step\(\)` before')
            self.runner.call_hook('after_train_epoch')
        self._epoch += 1
