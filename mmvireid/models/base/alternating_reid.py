"""Alternating training: several updates in one iteration, each with optimisers of its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper, OptimWrapperDict
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from mmvireid.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from mmvireid.models.base.staged_reid import StagedReID
from mmvireid.structures import ReIDDataSample


def owned_parameters(wrapper: OptimWrapper) -> list[nn.Parameter]:
    """The parameters that an optimiser moves."""
    return [p for group in wrapper.optimizer.param_groups for p in group['params']]


@contextmanager
def gradients_only_for(model: nn.Module, wrappers: Sequence[OptimWrapper]) -> Iterator[None]:
    """Let gradients reach only what these optimisers own, for the duration of a forward pass.

    Without this a discriminator would collect the gradients of the generator's update and take
    them along in its next step. Who owns what is read from the optimisers themselves.

    Args:
        model: The model whose other parameters are switched off; gradients still flow through.
        wrappers: The optimisers of the update.
    """
    owned = {id(p) for wrapper in wrappers for p in owned_parameters(wrapper)}
    others = [p for p in model.parameters() if p.requires_grad and id(p) not in owned]
    for parameter in others:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in others:
            parameter.requires_grad_(True)


def gradient_norm(wrapper: OptimWrapper) -> Tensor:
    """L2 norm over all gradients of an optimiser, a scalar that the GPU is not waited for.

    Loss scaling is taken out; the norm of a step that overflowed, and is skipped, is not finite.
    """
    gradients = [p.grad for p in owned_parameters(wrapper) if p.grad is not None]
    norm = get_total_norm(gradients)
    if isinstance(wrapper, AmpOptimWrapper):
        norm = norm / wrapper.loss_scaler.scale(torch.ones_like(norm))
    return norm


def step_together(total: Tensor, wrappers: Sequence[OptimWrapper]) -> list[Tensor]:
    """One backward pass, then a step of every optimiser.

    Returns:
        The gradient norm of every optimiser, before clipping.
    """
    wrappers[0].backward(total)
    norms = [gradient_norm(wrapper) for wrapper in wrappers]
    for wrapper in wrappers:
        wrapper.step()
        wrapper.zero_grad()
    return norms


class Shared(dict):
    """What the updates of one iteration hand on to each other."""

    def __missing__(self, key: str):
        raise UnknownNameError(
            f'AlternatingReID: an update needs {key!r}, which none before it has left in `shared`: '
            'check which updates the stage runs, and in which order.'
        )


class AlternatingReID(StagedReID):
    """Base class of methods whose iteration is a sequence of *updates*.

    A method declares :attr:`updates` and implements ``loss_<update>(inputs, data_samples,
    shared)`` for each; it returns the update's unweighted terms, as :meth:`BaseReID.loss` does.
    ``shared`` is a dict that lives for one iteration: an update may leave detached tensors there
    for a later one. ``inputs`` and ``data_samples`` are those of :meth:`BaseReID.loss`.

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
        shared, terms = Shared(), {}
        for name in self.active_updates:
            terms |= getattr(self, f'loss_{name}')(inputs, data_samples, shared)
        return terms

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """Run one iteration: every update of the current stage in turn.

        Args:
            data: A collated batch.
            optim_wrapper: Optimisers by name, see ``AlternatingOptimWrapperConstructor``.

        Returns:
            What is logged, ``{'<update>/<key>': value}``, scalars: the weighted terms, their sum
            ``loss``, the diagnostics, and ``<optimizer>.grad_norm`` of every optimiser that
            stepped, before clipping. Of an update that runs several times, the last run.

        Raises:
            ValueError: If no term of an update has a positive weight.
            KeyError: If an update needs what none before it has left in ``shared``.
        """
        batch = self.data_preprocessor(data, training=True)
        shared, log_vars = Shared(), {}
        for name in self.active_updates:
            wrappers = [optim_wrapper[key] for key in self.updates[name]]
            with gradients_only_for(self, wrappers), wrappers[0].optim_context(self):
                terms = self._weighted_terms(name, batch, shared)
            total, logs = self.parse_losses(terms)
            for key, norm in zip(self.updates[name], step_together(total, wrappers)):
                logs[f'{key}.grad_norm'] = norm
            log_vars |= {f'{name}/{key}': value for key, value in logs.items()}
        return log_vars

    def rehearse(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> None:
        """Compute and weigh the terms of every update of the current stage once.

        Arguments are those of :meth:`BaseReID.loss`.

        Raises:
            As :meth:`train_step`, for the same reasons.
        """
        shared, batch = Shared(), dict(inputs=inputs, data_samples=data_samples)
        for name in self.active_updates:
            self._weighted_terms(name, batch, shared)

    def _weighted_terms(self, name: str, batch: dict, shared: Shared) -> dict[str, Tensor]:
        """The weighted terms and diagnostics of an update."""
        terms = self.weigh(getattr(self, f'loss_{name}')(**batch, shared=shared))
        attached = [key for key, value in shared.items() if getattr(value, 'requires_grad', False)]
        if attached:
            raise InvalidValueError(
                f'{type(self).__name__}: update {name!r} leaves {attached} in `shared` with a '
                'graph, expected detached tensors: the backward pass of a later update would go '
                'through it a second time.'
            )
        if all(key in self.diagnostics for key in terms):
            raise InvalidValueError(
                f'{type(self).__name__}: no term of update {name!r} has a positive weight in '
                f'stage {self.stage.name!r}, expected one, or a stage without this update.'
            )
        return terms

    def check_declarations(self) -> None:
        """Check that every update has its method, beside what the base class checks.

        Raises:
            TypeError: If ``loss_<update>`` is missing.
        """
        super().check_declarations()
        missing = [name for name in self.updates if not callable(getattr(self, f'loss_{name}', 0))]
        if missing:
            methods = ', '.join(f'`loss_{name}(inputs, data_samples, shared)`' for name in missing)
            raise InvalidTypeError(
                f'{type(self).__name__}: `updates` has {missing}, expected a method for each of '
                f'them: {methods}.'
            )
