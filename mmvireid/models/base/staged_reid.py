"""Training in stages: what is frozen, and what each term weighs, changes with time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmvireid.errors import InvalidValueError
from mmvireid.models.base.base_reid import BaseReID


@dataclass(frozen=True)
class Stage:
    """A span of training.

    Args:
        name: What the log calls it.
        end: The first epoch (or iteration) after it; ``None`` for the end of training.
        updates: Updates that run, in this order; ``None`` for all of the method's. Only for
            methods with several updates.
        frozen: Parts that do not move, BatchNorm statistics included: children of the model.
        loss_weights: Weights that differ from the model's own.
        views: Views of the images that are seen, names of the data preprocessor's; ``None`` for all
            of them.
    """

    name: str
    end: int | None = None
    updates: tuple[str, ...] | None = None
    frozen: tuple[str, ...] = ()
    loss_weights: Mapping[str, float] = field(default_factory=dict)
    views: tuple[str, ...] | None = None


class StagedReID(BaseReID):
    """Base class of methods that are trained in stages.

    The stages are a table in the config; :class:`~mmvireid.engine.hooks.StageHook` says when each
    one begins, and this class carries it out. Freezing lives here and not in the hook, because
    MMEngine's loops call ``train()`` after every hook that runs before an epoch.

    Args:
        loss_weights: Weights of all terms; a stage may give others.
        **kwargs: As in :class:`BaseReID`.

    Attributes:
        stage (Stage): The current stage; before any was entered, all parts move.
        updates (dict[str, tuple[str, ...]]): See :class:`AlternatingReID`; none here.
    """

    stage = Stage('whole training')
    updates: dict[str, tuple[str, ...]] = {}

    def __init__(self, loss_weights: dict[str, float | None], **kwargs) -> None:
        super().__init__(loss_weights, **kwargs)
        self.own_loss_weights = self.loss_weights
        self._frozen_parameters = []

    def check_stage(self, stage: Stage) -> None:
        """Check that a stage names only what exists, and that something is left to train.

        Raises:
            ValueError: If not; names the stage, the entry and what is allowed.
        """
        self._check_names(stage, 'frozen', stage.frozen, dict(self.named_children()))
        self._check_names(stage, 'loss_weights', stage.loss_weights, self.own_loss_weights)
        self._check_names(stage, 'updates', stage.updates or (), self.updates)
        views = self.views if getattr(self.data_preprocessor, 'views', None) else ()
        self._check_names(stage, 'views', stage.views or (), views)
        if stage.updates is not None and not stage.updates:
            raise InvalidValueError(
                f'{type(self).__name__}: `updates` of stage {stage.name!r} is empty, expected some '
                f'of {sorted(self.updates)}, or no such entry for all of them.'
            )
        weights = self.own_loss_weights | dict(stage.loss_weights)
        if min(weights.values()) < 0 or max(weights.values()) == 0:
            raise InvalidValueError(
                f'{type(self).__name__}: stage {stage.name!r} has the loss weights {weights}, '
                'expected none below 0 and at least one above.'
            )

    def _check_names(self, stage: Stage, entry: str, names, allowed) -> None:
        unknown = sorted(set(names) - set(allowed))
        if unknown:
            raise InvalidValueError(
                f'{type(self).__name__}: `{entry}` of stage {stage.name!r} has {unknown}, '
                f'expected some of {sorted(allowed)}.'
            )

    def enter_stage(self, stage: Stage) -> None:
        """Release what the last stage froze, and make this stage current."""
        for parameter in self._frozen_parameters:
            parameter.requires_grad_(True)
        self.stage = stage
        self.loss_weights = self.own_loss_weights | dict(stage.loss_weights)
        self.data_preprocessor.seen = stage.views
        self._frozen_parameters = [
            parameter
            for name in stage.frozen
            for parameter in self.get_submodule(name).parameters()
            if parameter.requires_grad
        ]
        for parameter in self._frozen_parameters:
            parameter.requires_grad_(False)
            parameter.grad = None  # an optimiser would go on stepping with it
        self.train(self.training)

    def train(self, mode: bool = True) -> 'StagedReID':
        """Switch to training mode, but for the frozen parts: their statistics rest too."""
        super().train(mode)
        for name in self.stage.frozen:
            self.get_submodule(name).train(False)
        return self
