"""Parts of a model that follow others slowly."""

from collections.abc import Sequence
from functools import reduce

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from mmvireid.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from mmvireid.models.base import unwrap
from mmvireid.registry import HOOKS

FIELDS = ('teacher', 'student')


@HOOKS.register_module()
class TeacherHook(Hook):
    r"""Move teachers, averages of their students over time, before the loss of every iteration.

    .. math::
        t \leftarrow (1 - r)\, t + r\, s, \qquad r = r_0 \min(1, T / (e + 1))

    with e the epoch, counted from 1: the rate is constant for T - 1 epochs and falls from then on.

    Source: MPANet (Wu et al., CVPR 2021), whose release averages in the forward pass, before use.

    Where training is, the runner knows; what the average is, the state dict. So a resumed run
    equals a straight one, and several processes, which have the same students, have the same
    teachers. Buffers do not follow. An ``EMAHook``, by contrast, averages the whole model, for the
    validation.

    Args:
        pairs: The table: dicts with ``teacher`` and ``student``, names of parts of the model. Both
            have the same parameters; those of the teacher need no gradient.
        rate: :math:`r_0`, in (0, 1].
        horizon: :math:`T` in epochs, at least 1; ``None`` for a constant rate.

    Raises:
        TypeError: If an entry of the table is no dict.
        ValueError: If an argument is not allowed.

    Example:
        >>> hook = TeacherHook([dict(teacher='slow', student='fast')], rate=0.2, horizon=100)
        >>> hook.rate_at(0), hook.rate_at(98), hook.rate_at(198)  # epochs 1, 99 and 199
        (0.2, 0.2, 0.1)
    """

    def __init__(
        self, pairs: Sequence[dict], rate: float = 0.2, horizon: int | None = None
    ) -> None:
        for pair in pairs:
            if not isinstance(pair, dict):
                raise InvalidTypeError(
                    f'TeacherHook: `pairs` has {pair!r}, expected dicts with {FIELDS}.'
                )
        if not pairs or any(set(pair) != set(FIELDS) for pair in pairs):
            raise InvalidValueError(
                f'TeacherHook: `pairs` is {list(pairs)}, expected dicts with {FIELDS}.'
            )
        if not 0 < rate <= 1 or (horizon is not None and horizon < 1):
            raise InvalidValueError(
                f'TeacherHook: `rate` is {rate} and `horizon` {horizon}, expected a rate in '
                '(0, 1], and at least one epoch or None.'
            )
        self.pairs, self.rate, self.horizon = pairs, rate, horizon

    def rate_at(self, epoch: int) -> float:
        """The rate r in an epoch, counted from 0 as a runner does."""
        return self.rate * min(1.0, (self.horizon or torch.inf) / (epoch + 2))

    def before_train(self, runner: Runner) -> None:
        """Check the table against the model.

        Raises:
            KeyError: If a part does not exist.
            ValueError: If a teacher has other parameters than its student, or learns itself.
        """
        for pair in self.pairs:
            teacher, student = (_parameters(runner.model, pair[kind]) for kind in FIELDS)
            shapes = [{k: v.shape for k, v in part.items()} for part in (teacher, student)]
            if not teacher or shapes[0] != shapes[1]:
                raise InvalidValueError(
                    f'TeacherHook: `pairs` has the teacher {pair["teacher"]!r} with the parameters '
                    f'{sorted(teacher)}, expected those of its student {pair["student"]!r}, in '
                    f'the same shapes: {sorted(student)}.'
                )
            if any(value.requires_grad for value in teacher.values()):
                raise InvalidValueError(
                    f'TeacherHook: `pairs` has the teacher {pair["teacher"]!r}, whose parameters '
                    'learn by a gradient, expected one without (`requires_grad_(False)`).'
                )

    @torch.no_grad()
    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        """Move every teacher towards its student."""
        rate = self.rate_at(runner.epoch)
        for pair in self.pairs:
            student = _parameters(runner.model, pair['student'])
            for name, value in _parameters(runner.model, pair['teacher']).items():
                value.lerp_(student[name], rate)


def _parameters(model: nn.Module, part: str) -> dict[str, Tensor]:
    """Parameters of a part by name; it, and what it is in, may be wrapped for several processes."""
    try:
        found = reduce(
            lambda module, key: unwrap(getattr(module, key)), part.split('.'), unwrap(model)
        )
    except AttributeError as error:
        raise UnknownNameError(
            f'TeacherHook: `pairs` names {part!r}, which {type(unwrap(model)).__name__} does not '
            'have, expected the dotted name of a part of the model.'
        ) from error
    return dict(found.named_parameters())
