"""The nearest of more features than fit into memory, exactly."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mmvireid.distances import unit_rows
from mmvireid.errors import InvalidValueError, MissingFileError

#: Bytes of features that are read at a time, and queries that are asked at a time.
_CHUNK, _BLOCK = 2**26, 1024


class Neighbours(NamedTuple):
    """The nearest rows of every query, nearest first.

    Args:
        similarity: Cosines, float32, shape (Nq, K).
        rows: Numbers of the gallery's rows, int64, shape (Nq, K).
    """

    similarity: np.ndarray
    rows: np.ndarray


@torch.no_grad()
def search_exact(
    queries: np.ndarray | str | Path,
    gallery: np.ndarray | str | Path,
    k: int,
    device: str | torch.device = 'cpu',
) -> Neighbours:
    r"""Find the k gallery rows of largest cosine of every query, in bounded memory.

    .. math::
        s_{ij} = \hat q_i^\top \hat g_j, \qquad \hat x = x / \|x\|

    All pairs are compared. A file is read piece by piece, its pages are given back, and only the
    best k so far are kept: memory beside the queries and the result is a few hundred MiB, whatever
    the gallery's size.

    Args:
        queries: Features, real and finite, shape (Nq, D), or an ``.npy`` file of them.
        gallery: Likewise, shape (Ng, D); a file may be larger than memory.
        k: How many neighbours, at least 1; a smaller gallery gives all that it has.
        device: Where the products are computed.

    Returns:
        The neighbours, K = min(k, Ng) of each query. Among equal cosines the earlier row comes
        first; which of them are the last that are still returned is open.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If an argument is not as above; names the first row that is not finite.

    Example:
        >>> search_exact(np.array([[0.0, 2.0]]), np.eye(2), k=1).rows
        array([[1]])
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InvalidValueError(f'search_exact: `k` is {k!r}, expected a whole number, at least 1.')
    asked = _rows('queries', queries)
    shape = _rows('gallery', gallery).shape
    if asked.shape[1] != shape[1]:
        raise InvalidValueError(
            f'search_exact: `queries` and `gallery` have shapes {asked.shape} and {shape}, '
            'expected (Nq, D) and (Ng, D).'
        )
    asked = unit_rows(_tensor(asked, device))
    _check_finite('queries', asked, 0)
    best = None
    for start, chunk in _chunks(gallery, shape, device):
        found = [_nearest(block, chunk, k, start) for block in asked.split(_BLOCK)]
        found = [torch.cat(parts) for parts in zip(*found)]
        if torch.isnan(found[0]).any():  # which `topk` takes for the largest
            _check_finite('gallery', chunk, start)
        best = found if best is None else _merge(best, found, k)
    similarity, rows = (values.cpu().numpy() for values in best)
    order = np.lexsort((rows, -similarity))
    return Neighbours(*(np.take_along_axis(values, order, axis=1) for values in (similarity, rows)))


def _nearest(queries: Tensor, chunk: Tensor, k: int, start: int) -> tuple[Tensor, Tensor]:
    """Similarity and row of a chunk's nearest, each (Nq, K)."""
    similarity, columns = (queries @ chunk.T).topk(min(k, len(chunk)), dim=1)
    return similarity, columns + start


def _merge(best: list[Tensor], found: list[Tensor], k: int) -> list[Tensor]:
    """The nearest of two lists of neighbours."""
    similarity, rows = (torch.cat(pair, dim=1) for pair in zip(best, found))
    similarity, columns = similarity.topk(min(k, similarity.shape[1]), dim=1)
    return [similarity, rows.gather(1, columns)]


def _chunks(
    gallery: np.ndarray | str | Path, shape: tuple[int, int], device: str | torch.device
) -> Iterator[tuple[int, Tensor]]:
    """Yield the first row's number of each piece, and its rows at length one."""
    size = max(1, _CHUNK // (4 * shape[1]))
    for start in range(0, shape[0], size):
        # a map of its own for each piece: what it has read is given back with it
        rows = _rows('gallery', gallery)[start : start + size]
        rows = _tensor(rows, device)
        yield start, unit_rows(rows, out=rows)


def _tensor(rows: np.ndarray, device: str | torch.device) -> Tensor:
    """A copy in float32."""
    return torch.from_numpy(np.array(rows, dtype=np.float32)).to(device)


def _rows(name: str, source: np.ndarray | str | Path) -> np.ndarray:
    """The array, or the map of the file."""
    if isinstance(source, str | Path):
        source = _map(name, source)
    shape, kind = getattr(source, 'shape', None), getattr(source, 'dtype', np.dtype('O')).kind
    if shape is None or len(shape) != 2 or 0 in shape or kind not in 'iuf':
        raise InvalidValueError(
            f'search_exact: `{name}` is of shape {shape} and dtype '
            f'{getattr(source, "dtype", type(source).__name__)}, expected real numbers of shape '
            '(N, D) with N and D above 0.'
        )
    return source


def _map(name: str, path: str | Path) -> np.ndarray:
    if not Path(path).is_file():
        raise MissingFileError(f'search_exact: `{name}` is {path}, which is not a file.')
    try:
        return np.lib.format.open_memmap(path, mode='r')
    except (ValueError, OSError, EOFError) as error:
        raise InvalidValueError(
            f'search_exact: `{name}` is {path}, expected an .npy file of plain numbers '
            f'(numpy.save). This one cannot be read: {error}.'
        ) from error


def _check_finite(name: str, unit: Tensor, start: int) -> None:
    """Refuse rows that have no direction: NaN and infinite values leave NaN."""
    broken = torch.isnan(unit).any(dim=1)
    if broken.any():
        raise InvalidValueError(
            f'search_exact: `{name}` has NaN or infinite values in row '
            f'{start + int(broken.int().argmax())}, expected finite features.'
        )
