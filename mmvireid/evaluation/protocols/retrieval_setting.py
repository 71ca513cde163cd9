"""One row of a result table: who asks whom, and how often it is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

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
        queries: The querying rows of each trial, T arrays.
        galleries: The gallery rows of each trial in the protocol's order, T arrays.
        candidates: Every row that may be in a gallery. Settings that name the same queries and
            candidates are evaluated with one sorting.
        rank_by: Whether CMC counts distinct ``'identity'`` ranks or ``'image'`` ranks.
        excluded: Which pairs stay out of the ranking; ``None`` for none.
    """

    name: str
    queries: tuple[np.ndarray, ...]
    galleries: tuple[np.ndarray, ...]
    candidates: np.ndarray
    rank_by: str
    excluded: Exclusion | None = None

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
    if isinstance(values, str) or not values or not set(values) <= set(allowed):
        raise InvalidValueError(
            f'{owner}: `{argument}` is {values!r}, expected one or more of {list(allowed)}.'
        )


def check_positive(owner: str, argument: str, *values: int) -> None:
    """Raise ValueError unless there are values, all of them at least 1."""
    if not values or min(values) < 1:
        raise InvalidValueError(f'{owner}: `{argument}` is {list(values)}, expected at least 1.')
