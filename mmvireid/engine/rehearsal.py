"""One pass through every stage of a training, before its first iteration."""

import copy
import difflib
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from mmengine.model import MMSeparateDistributedDataParallel
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmvireid.errors import InvalidValueError
from mmvireid.models.base import BaseReID, Stage, StagedReID, unwrap


class AskedWeights(dict):
    """Weights of terms that remember which of them were asked for."""

    def __init__(self, weights: dict[str, float]) -> None:
        super().__init__(weights)
        self.asked = set()

    def __getitem__(self, term: str) -> float:
        self.asked.add(term)
        return super().__getitem__(term)


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Put buffers and random numbers back at the end of a block, and synchronise nothing in it.

    Args:
        model: May be wrapped for several processes, or have wrapped children.
    """
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices))
        for module in model.modules():
            several = isinstance(module, MMSeparateDistributedDataParallel)
            if isinstance(module, DistributedDataParallel) and not several:  # its children are
                stack.enter_context(module.no_sync())
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002
            for name, buffer in model.named_buffers():
                buffer.data.copy_(buffers[name])


def rehearse(runner: Runner, data_batch: dict, stages: Sequence[Stage] = ()) -> None:
    """Compute the terms of every stage once, so that a mistake of a later one is known at once.

    Nothing moves: no gradient is computed for the parameters, BatchNorm statistics and random
    numbers are as before. The cost is one forward pass of every stage.

    Args:
        runner: Its model is a :class:`BaseReID`.
        data_batch: A collated training batch.
        stages: The stages of the training; none for a training without stages.

    Raises:
        ValueError: If a weight belongs to a term that never comes.
        Exception: Whatever a stage's losses raise; a note tells the stage.
    """
    model = unwrap(runner.model)
    wrapper = runner.optim_wrapper
    if isinstance(wrapper, OptimWrapperDict):
        wrapper = next(iter(wrapper.values()))
    computed = []
    with undisturbed(runner.model), wrapper.optim_context(model), staying(model):
        for stage in stages or [None]:
            if stage is not None:
                model.enter_stage(stage)
            batch = model.data_preprocessor(copy.deepcopy(data_batch), training=True)
            model.loss_weights = weights = AskedWeights(model.loss_weights)
            try:
                model.rehearse(**batch)
            except Exception as error:
                error.add_note(_place(stage))
                raise
            computed.append((stage, weights.asked))
    check_weights(model, computed)


def _place(stage: Stage | None) -> str:
    where = '' if stage is None else f' of stage {stage.name!r}'
    return f'(Found in the rehearsal{where}, before the first iteration.)'


@contextmanager
def staying(model: BaseReID) -> Iterator[None]:
    """Go back to the current stage, or weights, at the end of a block."""
    stage, weights = getattr(model, 'stage', None), model.loss_weights
    try:
        yield
    finally:
        if isinstance(model, StagedReID):
            model.enter_stage(stage)
        model.loss_weights = weights


def check_weights(model: BaseReID, computed: list[tuple[Stage | None, set[str]]]) -> None:
    """Check that every weight met its term.

    Args:
        model: The method.
        computed: The stages, and the terms that were computed, or asked for, in each of them;
            the stage is ``None`` in a training without stages.

    Raises:
        ValueError: If a weight of the model met none in any stage, or a weight above 0 of a stage
            met none in that stage.
    """
    known = set().union(*(terms for _, terms in computed))
    places = [('`model.loss_weights`', set(model.loss_weights), known)]
    for stage, terms in computed:
        own = {} if stage is None else stage.loss_weights
        used = {term for term, weight in own.items() if weight}
        places.append((f'`loss_weights` of stage {getattr(stage, "name", "")!r}', used, terms))
    for place, given, found in places:
        lost = sorted(given - found)
        if lost:
            nearest = difflib.get_close_matches(lost[0], found, n=1, cutoff=0.5)
            hint = f' Did you mean {nearest[0]!r}?' if nearest else ''
            raise InvalidValueError(
                f'{type(model).__name__}: {place} has {lost}, which no loss computes, expected '
                f'some of {sorted(found)}.{hint}'
            )
