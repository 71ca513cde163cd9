"""Checkpoints that are whole, and of which a good one is always left."""

import os.path as osp
from collections.abc import Iterable
from pathlib import Path

from mmengine.dist import all_gather_object, get_rank, get_world_size, is_main_process
from mmengine.hooks import CheckpointHook as MMCheckpointHook
from mmengine.runner import Runner
from mmengine.runner.checkpoint import get_state_dict
from torch import nn

from mmvireid.engine.run_settings import check_settings, note_settings
from mmvireid.errors import InvalidValueError
from mmvireid.evaluation.report import FIGURES
from mmvireid.evaluation.result_keys import check_result_key, result_keys
from mmvireid.models.base import unwrap
from mmvireid.registry import HOOKS
from mmvireid.storage import write_atomically

POINTER = 'last_checkpoint'
#: Where the meta of a checkpoint has the buffers of every process, in the order of ranks.
RANK_BUFFERS = 'rank_buffers'


def rank_buffers(model: nn.Module) -> dict:
    """What the meta of a checkpoint within an epoch needs, if there are several processes.

    Buffers, such as the statistics of BatchNorm, differ until the end of the epoch averages them.
    All processes must call this.

    Args:
        model: The model of this process, wrapped or not.
    """
    if get_world_size() == 1:
        return {}
    state = get_state_dict(model, keep_vars=True)
    own = {
        name: value.cpu() for name, value in state.items() if not isinstance(value, nn.Parameter)
    }
    return {RANK_BUFFERS: all_gather_object(own)}


def write_checkpoint(
    runner: Runner, folder: str, name: str, outdated: Iterable[str | Path], **options
) -> None:
    """Write a checkpoint, then point to it, then remove others: a crash in between loses none.

    Args:
        runner: What to save.
        folder: Where to.
        name: File name.
        outdated: Files that are not to be kept.
        **options: Passed to the runner's ``save_checkpoint``.
    """
    runner.save_checkpoint(folder, name, **options)
    if is_main_process():
        write_atomically(osp.join(folder, name).encode(), Path(runner.work_dir, POINTER))
        for path in outdated:
            Path(path).unlink(missing_ok=True)


def newest_checkpoint(work_dir: str | Path) -> Path | None:
    """The checkpoint that was noted last, by its name alone: a work dir can be moved."""
    pointer = Path(work_dir, POINTER)
    return Path(work_dir, Path(pointer.read_text().strip()).name) if pointer.is_file() else None


@HOOKS.register_module()
class CheckpointHook(MMCheckpointHook):
    """MMEngine's hook, but a crash at any moment leaves a whole checkpoint behind.

    - A checkpoint is written beside its place, synced and renamed.
    - ``last_checkpoint`` is changed after that, in the same way.
    - Old checkpoints, the best ones too, are removed only then; MMEngine removes them first.
    - What ``save_best`` names is looked for before training: ``'auto'`` is the first result of the
      validation, anything else must be one of them.
    - A checkpoint holds the settings of its run, and another run does not resume from it.

    Args:
        interval: Epochs between two checkpoints, or iterations with ``by_epoch=False``.
        max_keep_ckpts: Number of checkpoints that stay; -1 for all. With 1, two are there while
            the second one is written.
        **kwargs: As in MMEngine's ``CheckpointHook``. ``backend_args`` is not needed: it is local
            and atomic unless it says otherwise.

    Raises:
        ValueError: If MMEngine's hook does not take an argument.
    """

    #: Larger is better, too, of every figure of a retrieval.
    _default_greater_keys = (
        *MMCheckpointHook._default_greater_keys,
        *(f'/{figure}' for figure in FIGURES),
    )

    def __init__(self, interval: int = -1, max_keep_ckpts: int = -1, **kwargs) -> None:
        kwargs.setdefault('backend_args', dict(backend='atomic'))
        self._is_unruled = False
        try:
            super().__init__(interval=interval, max_keep_ckpts=max_keep_ckpts, **kwargs)
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            raise InvalidValueError(f'CheckpointHook: {" ".join(map(str, error.args))}') from error

    def before_train(self, runner: Runner) -> None:
        """Check ``save_best``, and remove what a run that was killed while writing has left.

        Raises:
            ValueError: If there will be no such result, or none at all.
        """
        if self.save_best:
            self._settle_best(runner)
        super().before_train(runner)
        if is_main_process():
            for part in Path(runner.work_dir).glob('.*.part'):
                part.unlink()

    def _init_rule(self, rules: list[str | None], key_indicators: list[str]) -> None:
        """As MMEngine's, but a name that tells no rule is judged when the results are known."""
        try:
            super()._init_rule(rules, key_indicators)
        except ValueError:
            self._is_unruled = True
            super()._init_rule(['greater'] * len(key_indicators), key_indicators)

    def _settle_best(self, runner: Runner) -> None:
        """Find what ``save_best`` names among the results that the validation is going to give."""
        if runner.val_loop is None:
            raise InvalidValueError(
                f'CheckpointHook: `save_best` is {self.save_best}, expected None where there is no '
                'validation (`val_dataloader`).'
            )
        flip = getattr(unwrap(runner.model), 'flip_test', False)
        named = result_keys(runner.val_loop.evaluator.metrics, flip)
        if self.key_indicators == ['auto'] and named[0]:
            self._init_rule(self.rules, named[0][:1])
        known = {key for keys in named for key in keys or ()}
        for key in self.key_indicators:
            self._check_best(key, named)
            if key not in known and (self._is_unruled or self.rules == [None]):
                raise InvalidValueError(
                    f"CheckpointHook: `rule` is None, expected 'greater' or 'less': nothing "
                    f'is known of the result {key!r} before the first validation.'
                )

    @staticmethod
    def _check_best(key: str, named: list[list[str] | None]) -> None:
        if key != 'auto':
            check_result_key(key, named, '`default_hooks.checkpoint.save_best`')

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """As MMEngine's; but the last best one stays until the new one is there.

        What metrics could not tell before training is checked now.
        """
        if not self.save_best:
            return
        for key in self.key_indicators:
            self._check_best(key, [list(metrics)])
        several = len(self.key_indicators) > 1
        before = self.best_ckpt_path_dict if several else dict(best=self.best_ckpt_path)
        self.best_ckpt_path, self.best_ckpt_path_dict = None, dict.fromkeys(before)  # nothing to go
        super()._save_best_checkpoint(runner, metrics)
        now = self.best_ckpt_path_dict if several else dict(best=self.best_ckpt_path)
        best = {key: now[key] or path for key, path in before.items()}
        gone = {*before.values()} - {*best.values(), None}
        for path in gone if is_main_process() else ():
            Path(path).unlink(missing_ok=True)
        self.best_ckpt_path, self.best_ckpt_path_dict = best.get('best'), best

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Note whose it is."""
        note_settings(runner, checkpoint)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Make sure that it is of this run; take the buffers of this process, if each had its own.

        Raises:
            ValueError: If another run is to go on from it.
        """
        if runner._resume:
            check_settings(runner, checkpoint)
        buffers = checkpoint.get('meta', {}).pop(RANK_BUFFERS, None)
        if runner._resume and buffers is not None and len(buffers) == get_world_size():
            checkpoint['state_dict'].update(buffers[get_rank()])

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        """Write, point to what was written, then remove what is not to be kept."""
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        if not self.by_epoch:
            meta.update(rank_buffers(runner.model))
        write_checkpoint(
            runner,
            self.out_dir,
            name,
            self._outdated(runner, step),
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )

    def _outdated(self, runner: Runner, step: int) -> list[str]:
        """Count a new checkpoint in; which ones are then one too many."""
        if self.max_keep_ckpts <= 0:
            return []
        steps = [kept for kept in self.keep_ckpt_ids if kept != step]
        keep = [*steps, step][-self.max_keep_ckpts :]
        self.keep_ckpt_ids.clear()
        self.keep_ckpt_ids.extend(keep)
        runner.message_hub.update_info('keep_ckpt_ids', keep)
        names = [self.filename_tmpl.format(kept) for kept in steps if kept not in keep]
        return [self.file_backend.join_path(self.out_dir, name) for name in names]
