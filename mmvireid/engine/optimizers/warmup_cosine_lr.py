"""A cosine with a floor, after a warm-up from it."""

import math
from typing import Self

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import INF, _ParamScheduler

from mmvireid.errors import InvalidValueError
from mmvireid.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class WarmupCosineLR(LRSchedulerMixin, _ParamScheduler):
    r"""One cosine from the first epoch to the last, whose beginning a linear warm-up replaces.

    .. math::
        \eta_e = f + (\eta - f) \cdot \begin{cases}
        e / W & e < W \\ \tfrac12 (1 + \cos(\pi e / E)) & e \ge W \end{cases}

    in the epochs e = 1 ... E. The floor f is the same for every parameter group, whatever its own
    rate :math:`\eta` is; with MMEngine's schedules a warm-up begins at a share of that.

    Source: timm's ``CosineLRScheduler`` as PMT (Lu et al., AAAI 2023) sets it up.

    Args:
        optimizer: The optimiser, or its wrapper.
        floor: f, at least 0.
        warmup: W, epochs (or iterations).
        begin: The first epoch (or iteration) of the schedule, counted from 0.
        end: The first one after it: ``begin`` + E.
        last_step: As in MMEngine.
        by_epoch: Whether it counts epochs or iterations.
        verbose: As in MMEngine.

    Raises:
        ValueError: If the schedule does not end, or not behind its warm-up, or the floor is
            negative.
    """

    def __init__(
        self,
        optimizer,
        floor: float,
        warmup: int,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
    ) -> None:
        if end == INF or not 0 <= warmup < end - begin or floor < 0:
            raise InvalidValueError(
                f'WarmupCosineLR: `floor` is {floor}, `warmup` {warmup}, `begin` {begin} and `end` '
                f'{end}, expected a floor of at least 0, and an end behind the warm-up.'
            )
        self.floor, self.warmup, self.length = floor, warmup, end - begin
        super().__init__(optimizer, begin, end, last_step, by_epoch, verbose)

    @classmethod
    def build_iter_from_epoch(cls, *args, epoch_length: int, **kwargs) -> Self:
        """The same over iterations; MMEngine calls it for ``convert_to_iter_based``.

        Args:
            *args: As those of the class.
            epoch_length: Iterations of an epoch.
            **kwargs: As those of the class, in epochs.
        """
        for key in {'warmup', 'begin', 'end'} & kwargs.keys():
            kwargs[key] = int(kwargs[key] * epoch_length)
        return cls(*args, **dict(kwargs, by_epoch=False))

    def _get_value(self) -> list[float]:
        position = self.last_step + 1
        share = (1 + math.cos(math.pi * position / self.length)) / 2
        if position < self.warmup:
            share = position / self.warmup
        return [self.floor + (rate - self.floor) * share for rate in self.base_values]
