"""Re-ranking: distances that also ask whom two images have as neighbours."""

from typing import TYPE_CHECKING

import numpy as np
import scipy  # whose parts are imported with their first use
import torch
from torch import Tensor

from mmvireid.distances import pairwise_distance, unit_rows
from mmvireid.errors import InvalidTypeError
from mmvireid.evaluation.functional.ranking import sort_keys

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: What each kind of re-ranking adds to the names of its results, so that none share a column.
RERANKINGS = {'k-reciprocal': '-rerank', 'aim': '-aim'}
# One product of so many images with the gallery.
BLOCK = 512


def name_reranking(owner: str, rerank: bool | str) -> str | None:
    """Name a kind of re-ranking.

    Args:
        owner: Who asks, for the message.
        rerank: Key of :data:`RERANKINGS`; ``True`` is ``'k-reciprocal'``, ``False`` none.

    Returns:
        The key, or ``None``.

    Raises:
        TypeError: If it is something else.

    Example:
        >>> name_reranking('test', True)
        'k-reciprocal'
    """
    if isinstance(rerank, bool):
        return 'k-reciprocal' if rerank else None
    if rerank not in [*RERANKINGS]:
        known = ', '.join(map(repr, RERANKINGS))
        raise InvalidTypeError(
            f'{owner}: `rerank` is {rerank!r}, expected True or False, or one of {known}.'
        )
    return rerank


def k_reciprocal_distance(
    queries: Tensor, gallery: Tensor, k1: int = 20, k2: int = 6, original_weight: float = 0.3
) -> np.ndarray:
    r"""Distances that also compare whom two images have as mutual neighbours.

    .. math::
        d^*_{ij} = \lambda d_{ij} + (1 - \lambda) \left(1 -
        \frac{\sum_k \min(V_{ik}, V_{jk})}{\sum_k \max(V_{ik}, V_{jk})}\right)

    d is the squared Euclidean distance over the largest one of its row, and V_i a soft set of the
    mutual neighbours of image i: weight exp(-d_ik) on its expanded k1-reciprocal neighbours,
    normalised to sum 1, then averaged over the k2 nearest images of i.

    Source: Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR
    2017, Eqs. 2-12.
    Deviation: none from the released code's steps; the sets are sparse matrices. The (N, N)
    distance matrix of queries and gallery together, float32, is the largest thing in memory.

    Args:
        queries: Features, shape (Nq, D).
        gallery: Features, shape (Ng, D).
        k1: Size of the neighbourhood, at least 1.
        k2: Size of the neighbourhood that is averaged, at least 1; 1 does not average.
        original_weight: :math:`\lambda`, weight of the original distance in [0, 1].

    Returns:
        Distances, float32, shape (Nq, Ng).
    """
    features = torch.cat([queries, gallery])
    distance = pairwise_distance(features, features, squared=True).numpy()
    np.fill_diagonal(distance, 0)  # every image is its own first neighbour, also among copies
    # Where all images are copies of one, all distances stay 0.
    distance /= np.maximum(distance.max(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    neighbours = _nearest(distance, k1 + 1)
    mutual = _mutual(neighbours)
    sets = _soft_sets(_expand(mutual, _mutual(neighbours[:, : round(k1 / 2) + 1])), distance)
    if k2 > 1:
        nearest = neighbours[:, :k2]
        sets = _indicator(nearest) @ sets / nearest.shape[1]
    jaccard = _jaccard_distance(sets[: len(queries)], sets[len(queries) :])
    jaccard *= 1 - original_weight
    return jaccard + np.float32(original_weight) * distance[: len(queries), len(queries) :]


def affinity_distance(queries: Tensor, gallery: Tensor, k1: int = 20, k2: int = 6) -> np.ndarray:
    r"""Distances that also compare which gallery images two images resemble (AIM).

    .. math::
        d^*_{ij} = -q_i^\top g_j - a_i^\top b_j, \qquad
        b_j = \frac{\bar b_j}{\|\bar b_j\|}, \quad
        \bar b_j = \sum_{l \in N(j, k_2)} \operatorname{top}_{k_1}(G g_l), \quad
        a_i = \operatorname{top}_{k_1}(G q_i)

    G has the gallery's features of length one as rows, and top keeps the k1 largest affinities of
    an image, the others are zero. N(j, k2) are the k2 gallery images that resemble j most, itself
    among them.

    Source: Fang et al., "Visible-Infrared Person Re-Identification via Semantic Alignment and
    Affinity Inference", ICCV 2023.
    Deviation: the descriptions at hand do not say whether a query's affinities are brought to
    length one too; here they are not, as only the gallery's rows are said to be. Affinities are
    sparse matrices; the (Nq, Ng) result is the largest thing in memory.

    Args:
        queries: Features of any length, shape (Nq, D).
        gallery: Features of any length, shape (Ng, D).
        k1: Affinities that are kept of every image, at least 1.
        k2: Neighbours that are averaged, at least 1; 1 does not average.

    Returns:
        Distances, float32, shape (Nq, Ng); negative, and the smaller the more alike.

    Example:
        >>> affinity_distance(torch.eye(2), torch.eye(2), k1=1, k2=1)
        array([[-2.,  0.],
               [ 0., -2.]], dtype=float32)
    """
    queries, gallery = unit_rows(queries), unit_rows(gallery)
    own, columns = _affinities(gallery, gallery, k1, k2)
    nearest = _indicator(columns[:, :k2])
    own = nearest @ own
    length = np.sqrt(own.multiply(own).sum(axis=1))[:, None]
    own = own.multiply(1 / np.maximum(length, np.finfo(np.float32).tiny))
    asked, _ = _affinities(queries, gallery, k1, 1)
    distance = (queries @ -gallery.T).numpy()
    by_gallery = own.T.tocsr()
    for start in range(0, len(distance), BLOCK):
        rows = slice(start, start + BLOCK)
        distance[rows] -= (asked[rows] @ by_gallery).toarray()
    return distance


def _affinities(
    images: Tensor, gallery: Tensor, k1: int, k2: int
) -> tuple['csr_array', np.ndarray]:
    """The k1 largest affinities, (N, Ng), and the columns of the max(k1, k2) largest, in order."""
    columns, values = [], []
    for block in images.split(BLOCK):
        distance = (block @ -gallery.T).numpy()
        columns.append(_nearest(distance, max(k1, k2)))
        values.append(-np.take_along_axis(distance, columns[-1][:, :k1], axis=1))
    columns, values = np.concatenate(columns), np.concatenate(values)
    size, kept = values.shape
    starts = np.arange(0, size * kept + 1, kept)
    entries = values.ravel(), columns[:, :kept].ravel(), starts
    return scipy.sparse.csr_array(entries, shape=(size, len(gallery))), columns


def _nearest(distance: np.ndarray, k: int) -> np.ndarray:
    """The k nearest columns of every row, nearest first, ties to the earlier one, (N, k)."""
    keys = (sort_keys(row[None])[0] for row in distance)
    k = min(k, distance.shape[1])
    nearest = np.stack([np.sort(np.partition(key, k - 1)[:k]) for key in keys])
    return (nearest & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _indicator(neighbours: np.ndarray) -> 'csr_array':
    """Sets of neighbours as a 0/1 matrix, (N, N)."""
    size, k = neighbours.shape
    starts = np.arange(0, size * k + 1, k)
    ones = np.ones(size * k, np.float32)
    return scipy.sparse.csr_array((ones, neighbours.ravel(), starts), shape=(size, size))


def _mutual(neighbours: np.ndarray) -> 'csr_array':
    """R(i, k): neighbours that have i as a neighbour too (Eq. 3)."""
    near = _indicator(neighbours)
    return near.multiply(near.T).tocsr()


def _expand(mutual: 'csr_array', half: 'csr_array') -> 'csr_array':
    """Add R(c, k1 / 2) of every c in R(i, k1) that shares more than 2/3 of it (Eq. 4)."""
    shared = (mutual @ half.T).multiply(mutual).tocoo()
    accepted = shared.data > half.sum(axis=1)[shared.col] * (2 / 3)
    entries = shared.data[accepted], (shared.row[accepted], shared.col[accepted])
    return (mutual + scipy.sparse.csr_array(entries, shape=mutual.shape) @ half).tocsr()


def _soft_sets(members: 'csr_array', distance: np.ndarray) -> 'csr_array':
    """V: weight exp(-d) on every member, rows sum to 1 (Eq. 7)."""
    rows, columns = members.nonzero()
    weights = np.exp(-distance[rows, columns])
    weights /= np.bincount(rows, weights, minlength=len(distance))[rows]
    return scipy.sparse.csr_array((weights, (rows, columns)), shape=members.shape)


def _jaccard_distance(queries: 'csr_array', gallery: 'csr_array') -> np.ndarray:
    """1 - sum min / sum max of every pair of rows (Eq. 10), float32, (Nq, Ng)."""
    by_column = scipy.sparse.csc_array(gallery)
    lengths = np.diff(by_column.indptr)
    distance = np.empty((queries.shape[0], gallery.shape[0]), np.float32)
    for row, start, end in zip(distance, queries.indptr, queries.indptr[1:]):
        columns = queries.indices[start:end]
        where = np.concatenate([np.arange(*by_column.indptr[c : c + 2]) for c in columns])
        weights = np.repeat(queries.data[start:end], lengths[columns])
        smaller = np.minimum(weights, by_column.data[where])
        shared = np.bincount(by_column.indices[where], smaller, minlength=len(row))
        row[:] = 1 - shared / (2 - shared)  # both rows sum to 1
    return distance
