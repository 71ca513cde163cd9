"""One row of a result table: who asks whom, and how often it is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np

from mmvireid.errors import InvalidValueError
from mmvireid.evaluation.feature_set import FeatureSet

#: ``excluded(feature_set, queries, candidates)`` tells which pairs stay out of the ranking, bool,
#: shape (Nq, Nc), for rows of the feature set of shape (Nq,) and (Nc,).
Exclusion = Callable[[FeatureSet, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class RetrievalSetting:
    """A protocol setting, as rows of a :class:`FeatureSet`.

    Args:
        name: Key of the result, such as ``'sysu/all-1shot'``.
        queries: The querying rows of each trial, T arrays (Nq,).
        galleries: The gallery rows of each trial in the protocol's order, T arrays (Ng,).
        candidates: Every row that may be in a gallery, (Nc,). Settings that name the same queries
            and candidates are evaluated with one sorting.
        rank_by: Whether CMC counts distinct ``'identity'`` ranks or ``'image'`` ranks.
        excluded: Which pairs stay out of the ranking; ``None`` for none.
        aim_neighbours: k1 and k2 of re-ranking by affinities (AIM), for galleries like these.
    """

    name: str
    queries: tuple[np.ndarray, ...]
    galleries: tuple[np.ndarray, ...]
    candidates: np.ndarray
    rank_by: str
    excluded: Exclusion | None = None
    aim_neighbours: tuple[int, int] = (20, 6)

    def __post_init__(self) -> None:
        if not (all(map(len, self.queries)) and all(map(len, self.galleries)) and self.queries):
            raise InvalidValueError(
                f'RetrievalSetting: {self.name} has no {self._empty_side()} images, expected some. '
                'This setting cannot exist on these data: leave it out.'
            )

    def _empty_side(self) -> str:
        return 'gallery' if all(map(len, self.queries)) else 'query'

    @cached_property
    def all_queries(self) -> np.ndarray:
        """Rows that ask in any trial, ascending."""
        return np.unique(np.concatenate(self.queries))


def check_choices(owner: str, argument: str, values: Sequence, allowed: Sequence) -> None:
    """Raise ValueError unless ``values`` is a list of some of the allowed ones."""
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    if not is_list or not values or any(value not in [*allowed] for value in values):
        raise InvalidValueError(
            f'{owner}: `{argument}` is {values!r}, expected one or more of {list(allowed)}.'
        )


def check_positive(owner: str, argument: str, value: int) -> None:
    """Raise ValueError unless ``value`` is a whole number of at least 1."""
    if not is_positive(value):
        raise InvalidValueError(
            f'{owner}: `{argument}` is {value!r}, expected at least 1, a whole number.'
        )


def check_all_positive(owner: str, argument: str, values: Sequence[int]) -> None:
    """Raise ValueError unless ``values`` is a list of whole numbers of at least 1."""
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    if not is_list or not values or not all(map(is_positive, values)):
        raise InvalidValueError(
            f'{owner}: `{argument}` is {values!r}, expected at least 1, a list of whole numbers.'
        )


def is_positive(value: object) -> bool:
    """Whether something is a whole number of at least 1."""
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= 1
