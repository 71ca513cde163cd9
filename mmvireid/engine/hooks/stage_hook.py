"""When a stage of training begins."""

import re
import warnings
from collections.abc import Sequence
from itertools import pairwise

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmvireid.commands import Brief
from mmvireid.errors import InvalidTypeError, InvalidValueError
from mmvireid.models.base import Stage, StagedReID, unwrap
from mmvireid.registry import HOOKS


@HOOKS.register_module()
class StageHook(Hook):
    """Take a model through the stages of a table.

    The current stage is a function of ``runner.epoch`` (or ``runner.iter``) alone, so a resumed
    run is where it was. All stages are checked before training starts.

    Args:
        stages: The table: dicts with the fields of :class:`~mmvireid.models.base.Stage`, in order.
            Every stage but the last needs an ``end``.
        by_epoch: Whether ``end`` counts epochs or iterations.

    Raises:
        ValueError: If there is no stage, or one of them has an unknown field, never ends, or
            overlaps with the one before.

    Example:
        >>> hook = StageHook([dict(name='warm-up', end=10, frozen=['decoder']), dict(name='joint')])
        >>> hook.stage_at(9).name, hook.stage_at(10).name
        ('warm-up', 'joint')
    """

    def __init__(self, stages: Sequence[dict], by_epoch: bool = True) -> None:
        self.stages = [self._read(entry) for entry in stages]
        self.by_epoch = by_epoch
        self._is_new = False
        if not self.stages:
            raise InvalidValueError('StageHook: `stages` is empty, expected at least one stage.')
        ends = [0, *(stage.end for stage in self.stages)]
        for stage, (begin, end) in zip(self.stages, pairwise(ends)):
            if end is None and stage is not self.stages[-1]:
                raise InvalidValueError(
                    f'StageHook: stage {stage.name!r} never ends, expected an `end`: only the last '
                    'stage may go on to the end of training.'
                )
            if end is not None and end <= begin:
                raise InvalidValueError(
                    f'StageHook: `end` of stage {stage.name!r} is {end}, expected more than '
                    f'{begin}, where it begins: stages follow each other and do not overlap.'
                )

    @staticmethod
    def _read(entry: dict) -> Stage:
        fields = set(Stage.__dataclass_fields__)
        if 'name' not in entry or not set(entry) <= fields:
            raise InvalidValueError(
                f'StageHook: a stage has the fields {sorted(entry)}, expected `name` and some of '
                f'{sorted(fields - {"name"})}.'
            )
        # tuples, because a ConfigDict's lists could be changed later
        lists = {key: tuple(entry[key]) for key in ('updates', 'frozen', 'views') if entry.get(key)}
        return Stage(**{**entry, **lists})

    def stage_at(self, position: int) -> Stage:
        """The stage that an epoch (or iteration) belongs to, counted from 0."""
        return next(stage for stage in self.stages if stage.end is None or position < stage.end)

    def before_train(self, runner: Runner) -> None:
        """Check the whole table, and enter the stage that training starts or goes on in.

        Raises:
            TypeError: If the model has no stages.
            ValueError: If a stage does not fit the model or the length of the training.
        """
        model = unwrap(runner.model)
        if not isinstance(model, StagedReID):
            raise InvalidTypeError(
                f'StageHook: `model` is a {type(model).__name__}, expected a StagedReID or '
                'AlternatingReID.'
            )
        total = runner.max_epochs if self.by_epoch else runner.max_iters
        ends = [total if stage.end is None else stage.end for stage in self.stages]
        if ends[-1] < total or (len(ends) > 1 and ends[-2] >= total):
            unit = 'epochs' if self.by_epoch else 'iterations'
            raise InvalidValueError(
                f'StageHook: the stages end at {ends}, expected the last one to begin before and '
                f'end with the {total} {unit} of the training.'
            )
        for stage in self.stages:
            model.check_stage(stage)
        if any(stage.updates for stage in self.stages):
            # an optimiser may rest in the first stage; its schedule goes on all the same
            warnings.filterwarnings('ignore', r'Detected call of `scheduler\.step\(\)` before')
        if self._position(runner) < total:
            self._enter(runner, model)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        """Enter the next stage when its time has come."""
        model = unwrap(runner.model)
        if self.stage_at(self._position(runner)) is not model.stage:
            self._enter(runner, model)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Forget the logged losses, and everything of updates, that the new stage lacks."""
        if self._is_new:
            computed = {f'train/{key}' for key in outputs}
            logged = runner.message_hub.log_scalars
            # a slash behind the first stands between an update and its value
            stale = [key for key in logged if re.match('train/.*(loss|/)', key)]
            for key in set(stale) - computed:
                del logged[key]
                # or a run that is resumed would be warned of each of them
                runner.message_hub._resumed_keys.pop(key, None)
            self._is_new = False

    def _position(self, runner: Runner) -> int:
        return runner.epoch if self.by_epoch else runner.iter

    def _enter(self, runner: Runner, model: StagedReID) -> None:
        stage = self.stage_at(self._position(runner))
        model.enter_stage(stage)
        self._is_new = True
        weights = {term: weight for term, weight in model.loss_weights.items() if weight}
        updates = f'updates: {", ".join(stage.updates)}; ' if stage.updates else ''
        if stage.views:
            updates += f'views: {", ".join(stage.views)}; '
        frozen = f'frozen: {", ".join(stage.frozen) or "nothing"}; '
        begins = f'Stage {stage.name!r} begins; '
        each = '  '.join(f'{term} {weight:g}' for term, weight in weights.items())
        runner.logger.info(
            Brief(
                f'{begins}{updates}{frozen}loss weights: {weights}',
                f'{begins} {updates} {frozen} loss weights: {each}',
            )
        )
