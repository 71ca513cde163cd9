"""Alternating training: several updates in one iteration, each with optimisers of its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from mmvireid.models.base.staged_reid import StagedReID
from mmvireid.structures import ReIDDataSample


@contextmanager
def gradients_only_for(model: nn.Module, wrappers: Sequence[OptimWrapper]) -> Iterator[None]:
    """Let gradients reach only what these optimisers own, for the duration of a forward pass.

    Without this a discriminator would collect the gradients of the generator's update and take
    them along in its next step. Who owns what is read from the optimisers themselves.

    Args:
        model: The model whose other parameters are switched off; gradients still flow through.
        wrappers: The optimisers of the update.
    """
    owned = {
        id(p) for wrapper in wrappers for group in wrapper.param_groups for p in group['params']
    }
    others = [p for p in model.parameters() if p.requires_grad and id(p) not in owned]
    for parameter in others:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in others:
            parameter.requires_grad_(True)


def step_together(total: Tensor, wrappers: Sequence[OptimWrapper]) -> None:
    """One backward pass, then a step of every optimiser."""
    wrappers[0].backward(total)
    for wrapper in wrappers:
        wrapper.step()
        wrapper.zero_grad()


class AlternatingReID(StagedReID):
    """Base class of methods whose iteration is a sequence of *updates*.

    A method declares :attr:`updates` and implements ``loss_<update>(inputs, data_samples,
    shared)`` for each; it returns the update's unweighted terms, as :meth:`BaseReID.loss` does.
    ``shared`` is a dict that lives for one iteration: an update may leave detached tensors there
    for a later one.

    Attributes:
        updates (dict[str, tuple[str, ...]]): Name of every update -> the optimisers that step
            after its backward pass, in the order in which the updates run.
    """

    @property
    def active_updates(self) -> tuple[str, ...]:
        """Names of the updates of the current stage, in order."""
        return tuple(self.updates) if self.stage.updates is None else self.stage.updates

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """The terms of all updates of the current stage, without a step between them."""
        shared, terms = {}, {}
        for name in self.active_updates:
            terms |= getattr(self, f'loss_{name}')(inputs, data_samples, shared)
        return terms

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """Run one iteration: every update of the current stage in turn.

        Args:
            data: A collated batch.
            optim_wrapper: Optimisers by name, see ``AlternatingOptimWrapperConstructor``.

        Returns:
            What is logged, ``{'<update>/<key>': value}``.
        """
        batch = self.data_preprocessor(data, training=True)
        shared, log_vars = {}, {}
        for name in self.active_updates:
            wrappers = [optim_wrapper[key] for key in self.updates[name]]
            with gradients_only_for(self, wrappers), wrappers[0].optim_context(self):
                terms = self.weigh(getattr(self, f'loss_{name}')(**batch, shared=shared))
            total, logs = self.parse_losses(terms)
            step_together(total, wrappers)
            log_vars |= {f'{name}/{key}': value for key, value in logs.items()}
        return log_vars
