"""From distances to ranks: every query's candidates are sorted once, whatever the trial."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from threading import Lock
from typing import Self

import numpy as np


@dataclass(frozen=True)
class QueryScores:
    """Scores of Nq queries against T galleries; every array has shape (T, Nq).

    Args:
        first_rank: 1-based rank of the first match, 0 where the query has no admissible match,
            (T, Nq).
            Either among the images, or among distinct identities: 1 + the number of other
            identities that have an image before the first match.
        average_precision: With K matches at the 1-based positions p_1 < ... < p_K,
            AP = (1 / K) sum_k k / p_k, float64, (T, Nq); 0 where there is no match.
        inverse_negative_penalty: INP = K / p_K, float64, (T, Nq); 0 where there is no
            match.
    """

    first_rank: np.ndarray
    average_precision: np.ndarray
    inverse_negative_penalty: np.ndarray

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Join the scores of consecutive queries."""
        return cls(*(np.concatenate(arrays, axis=1) for arrays in zip(*map(_arrays, parts))))

    def select(self, trial: int, queries: np.ndarray) -> Self:
        """Scores of some queries, row numbers (Nq,), in one trial; every array has shape (Nq,)."""
        return type(self)(*(array[trial, queries] for array in _arrays(self)))


def _arrays(scores: QueryScores) -> list[np.ndarray]:
    return [getattr(scores, field.name) for field in fields(scores)]


def sort_keys(distance: np.ndarray, low: np.ndarray | None = None) -> np.ndarray:
    """Distance and position in one integer, so that a plain sort is a stable argsort.

    The high half of a key orders like the distance, the low half is the column. Sorting such keys
    is several times faster than a stable argsort, because no index array moves along.

    Args:
        distance: Distances, float32 and finite or infinite, shape (Nq, Nc).
        low: Other low halves, which decide ties, below 2^32, uint64, shape (Nc,) or (Nq, Nc).

    Returns:
        Keys, uint64, shape (Nq, Nc); ``key & 0xffffffff`` is the column.

    Example:
        >>> keys = sort_keys(np.array([[0.5, -1.0, 0.5]], np.float32))
        >>> np.sort(keys) & 0xffffffff
        array([[1, 0, 2]], dtype=uint64)
    """
    bits = (distance + np.float32(0)).view(np.int32)  # + 0 turns -0.0 into 0.0
    # Floats order like their bits, except that negative ones run backwards.
    bits ^= (bits >> 31) | np.int32(-(2**31))
    keys = np.left_shift(bits.view(np.uint32), 32, dtype=np.uint64)
    keys |= np.arange(distance.shape[1], dtype=np.uint64) if low is None else low
    return keys


class GalleryScorer:
    """Scores queries against many galleries that are subsets of one list of candidates.

    A query's candidates are sorted once. A trial's positions are running counts of its gallery
    along that order, for several galleries at a time: their counts are fields of one 64-bit word,
    so that one sum serves them all.

    Ties are broken by lot, if there are lots: among equally distant candidates the order is that of
    their lots, each combined with the query's (exclusive or), so that every query has an order of
    its own. The gallery's order, which is that of identities, would favour some: features that are
    all equal would score above chance. Without lots ties go to the earlier candidate.

    Args:
        candidate_ids: Identity of every candidate, in the protocol's gallery order, shape (Nc,).
        galleries: The columns in [0, Nc) that make up each of the T galleries, none empty, (Ng,).
        rank_by: Whether the first match's rank counts distinct ``'identity'`` or ``'image'``.
        candidate_lots: A random number of each candidate in [0, 2^32), integers, shape (Nc,).

    Attributes:
        num_tied: Neighbours in the rankings so far that are equally far from their query.
        num_neighbours: All neighbours in these rankings.

    Example:
        >>> scorer = GalleryScorer(np.array([7, 8, 8]), [np.array([0, 1, 2]), np.array([0, 1])])
        >>> distance = np.array([[0.1, 0.3, 0.2]], np.float32)
        >>> scorer(distance, np.array([8])).average_precision.round(3)
        array([[0.583],
               [0.5  ]])
    """

    def __init__(
        self,
        candidate_ids: np.ndarray,
        galleries: Sequence[np.ndarray],
        rank_by: str = 'identity',
        candidate_lots: np.ndarray | None = None,
    ) -> None:
        self.rank_by = rank_by
        self.ids, labels = np.unique(candidate_ids, return_inverse=True)
        self.size = len(labels)
        # The low half of a key: the column, and above it as much of the lot as there is room for.
        self.column_mask = np.uint64(2 ** (self.size - 1).bit_length() - 1)
        self.low = np.arange(self.size, dtype=np.uint64)
        if candidate_lots is not None:
            self.low |= self._above_columns(candidate_lots)
        self.num_tied = self.num_neighbours = 0
        self._counting = Lock()
        self.labels = labels.astype(np.min_scalar_type(len(self.ids)))
        self.member = np.zeros((len(galleries), self.size), dtype=bool)
        for member, columns in zip(self.member, galleries):
            member[columns] = True
        self.words, self.fields = _pack(self.member)
        # The galleries one after another, each sorted by identity: which column, and where each
        # identity of each gallery starts.
        by_label = np.argsort(self.labels, kind='stable')
        gallery, place = np.nonzero(self.member[:, by_label])
        self.columns = by_label[place]
        self.group, self.group_starts = np.unique(
            gallery * len(self.ids) + self.labels[self.columns], return_index=True
        )

    def __call__(
        self, distance: np.ndarray, query_ids: np.ndarray, query_lots: np.ndarray | None = None
    ) -> QueryScores:
        """Score a block of queries.

        Args:
            distance: Distance of every candidate, smaller is better, float32, shape (Nq, Nc).
                ``np.inf`` marks a pair that the protocol leaves out of the ranking; distances
                themselves are finite.
            query_ids: Identity of every query, shape (Nq,).
            query_lots: A random number of each query in [0, 2^32), integers, shape (Nq,).

        Returns:
            Scores, every array (T, Nq).
        """
        low = self.low
        if query_lots is not None:
            low = low ^ self._above_columns(query_lots)[:, None]
        keys = sort_keys(distance, low)
        keys.sort(axis=1)
        admissible = np.count_nonzero(distance != np.inf, axis=1)
        self._count_ties(keys, admissible)
        keys &= self.column_mask
        order = keys.view(np.int64)
        labels = self._labels_of(query_ids)
        rank, average_precision, penalty = self._image_scores(order, admissible, labels)
        if self.rank_by == 'identity':
            rank = np.where(rank > 0, self._identity_rank(order, admissible, labels), 0)
        return QueryScores(rank, average_precision, penalty)

    def _above_columns(self, lots: np.ndarray) -> np.ndarray:
        return lots.astype(np.uint64) & ~self.column_mask & np.uint64(0xFFFFFFFF)

    def _count_ties(self, keys: np.ndarray, admissible: np.ndarray) -> None:
        """Count equal neighbours in sorted keys; those that are left out stand at the end."""
        equal = np.count_nonzero((keys[:, 1:] ^ keys[:, :-1]) <= np.uint64(0xFFFFFFFF))
        left_out = np.maximum(self.size - admissible - 1, 0).sum()
        with self._counting:
            self.num_tied += int(equal - left_out)
            self.num_neighbours += int(np.maximum(admissible - 1, 0).sum())

    def _labels_of(self, query_ids: np.ndarray) -> np.ndarray:
        """Index of each query's identity among the candidates', ``len(self.ids)`` for none."""
        labels = np.searchsorted(self.ids, query_ids)
        known = self.ids[np.minimum(labels, len(self.ids) - 1)] == query_ids
        return np.where(known, labels, len(self.ids)).astype(self.labels.dtype)

    def _image_scores(
        self, order: np.ndarray, admissible: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """First rank, AP and INP over images, each (T, Nq)."""
        hit = self.labels.take(order) == labels[:, None]
        hit &= np.arange(self.size) < admissible[:, None]
        position = self._positions(order, hit)  # (T, M), M hits of all queries
        member = self.member[:, order[hit]]
        queries = hit.any(axis=1)
        starts = np.append(0, np.count_nonzero(hit[queries], axis=1).cumsum())
        scores = np.zeros((3, len(self.member), len(order)))
        if queries.any():
            scores[:, :, queries] = _first_precision_penalty(member, position, starts)
        return scores[0].astype(np.int64), scores[1], scores[2]

    def _positions(self, order: np.ndarray, hit: np.ndarray) -> np.ndarray:
        """1-based position of every hit in every gallery, (T, M)."""
        # Sums between consecutive hits, cut at the rows too, are cheaper than a running count.
        cut = hit.copy()
        cut[:, 0] = True
        cuts = np.flatnonzero(cut)
        first = np.flatnonzero(cuts % self.size == 0)
        pieces = np.diff(first, append=len(cuts))
        is_hit = hit.ravel()[cuts]
        counts = np.empty((len(self.words), np.count_nonzero(is_hit)), np.uint64)
        along = np.empty(order.shape, np.uint64)
        for count, word in zip(counts, self.words):
            word.take(order, out=along, mode='clip')  # the default mode would copy `out`
            total = np.add.reduceat(along.ravel(), cuts)
            before = total.cumsum() - total
            before -= np.repeat(before[first], pieces)  # modulo 2**64, therefore exact
            count[:] = (before + along.ravel()[cuts])[is_hit]
        return np.stack([counts[word] >> shift & mask for word, shift, mask in self.fields])

    def _identity_rank(
        self, order: np.ndarray, admissible: np.ndarray, labels: np.ndarray
    ) -> np.ndarray:
        """1 + the number of identities that are nearer than the query's own, (T, Nq)."""
        dtype = np.min_scalar_type(self.size)
        ranks = np.empty(order.shape, dtype)
        np.put_along_axis(ranks, order, np.arange(self.size, dtype=dtype)[None], axis=1)
        if admissible.min() < self.size:
            ranks[ranks >= admissible[:, None]] = self.size
        nearest = np.minimum.reduceat(ranks.take(self.columns, axis=1), self.group_starts, axis=1)
        first_group = np.arange(len(self.member))[:, None] * len(self.ids)
        own = np.searchsorted(self.group, first_group + labels).T  # (Nq, T)
        own = np.take_along_axis(nearest, np.minimum(own, len(self.group) - 1), axis=1)
        sizes = np.bincount(self.group // len(self.ids))  # identities of each gallery
        nearer = nearest < np.repeat(own, sizes, axis=1)
        return 1 + np.add.reduceat(nearer, sizes.cumsum() - sizes, axis=1, dtype=np.int64).T


def _pack(member: np.ndarray) -> tuple[np.ndarray, list[tuple[int, np.uint64, np.uint64]]]:
    """Write memberships (T, Nc) into 64-bit words with room for each gallery's size.

    Returns:
        The words, (number of words, Nc), and each gallery's word, shift and mask.
    """
    words, fields, free = [], [], 0
    for row in member:
        width = int(row.sum()).bit_length()
        if width > free:
            words.append(np.zeros(row.shape, np.uint64))
            free = 64
        shift = np.uint64(64 - free)
        words[-1] |= row.astype(np.uint64) << shift
        fields.append((len(words) - 1, shift, np.uint64(2**width - 1)))
        free -= width
    return np.stack(words), fields


def _first_precision_penalty(
    member: np.ndarray, position: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First position, AP and INP of n queries in T galleries, each (T, n).

    Args:
        member: Whether a hit belongs to a gallery, bool, shape (T, M).
        position: Its 1-based position there, meaningless if it does not belong, shape (T, M).
        starts: Where each query's hits start, and M, shape (n + 1,).
    """
    starts, hits = starts[:-1], np.diff(starts)
    matches = np.add.reduceat(member, starts, axis=1, dtype=np.int64)  # K
    first = np.minimum.reduceat(np.where(member, position, member.size + 1), starts, axis=1)
    last = np.maximum.reduceat(np.where(member, position, 0), starts, axis=1)
    seen = member.cumsum(axis=1)  # k, plus the matches of all earlier queries
    seen -= np.repeat(matches.cumsum(axis=1) - matches, hits, axis=1)
    precision = np.divide(seen, position, out=np.zeros(member.shape), where=member)
    average = np.add.reduceat(precision, starts, axis=1) / np.maximum(matches, 1)
    return np.where(matches, first, 0), average, matches / np.maximum(last, 1)
