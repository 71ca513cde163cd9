"""What every single query got: the raw material of comparisons."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path

import numpy as np

from mmvireid.errors import InvalidValueError, MissingFileError
from mmvireid.storage import new_file

#: The figures that are compared, by the names that they have everywhere.
COMPARED = ('R1', 'mAP')


@dataclass(frozen=True)
class IdentityScores:
    """The scores of one setting added up over the queries of each identity.

    Queries of one person resemble one another, those of two people hardly: identities are what
    another test set would have others of.

    Args:
        setting: Name of the setting, such as ``'sysu/all-1shot'``.
        ids: Identities that have a query with a match, ascending, shape (I,).
        queries: Number of these queries, shape (T, I) for T trials.
        R1: How many of them have a match at the first rank, shape (T, I).
        mAP: Sum of their average precisions, shape (T, I).
        asked: Digest of all queries, those without a match too.
        galleries: Digest of the galleries of all trials.
    """

    setting: str
    ids: np.ndarray
    queries: np.ndarray
    R1: np.ndarray
    mAP: np.ndarray
    asked: str
    galleries: str

    def figure(self, name: str) -> float:
        """A figure in percent: over the queries of a trial, then over trials."""
        return float(100 * np.mean(getattr(self, name).sum(axis=1) / self.queries.sum(axis=1)))

    def to_dict(self) -> dict:
        """Plain values for a line of results, means over trials."""
        means = {name: getattr(self, name).mean(axis=0) for name in ('queries', *COMPARED)}
        return dict(
            setting=self.setting,
            asked=self.asked,
            galleries=self.galleries,
            ids=self.ids.tolist(),
            **{name: value.round(3).tolist() for name, value in means.items()},
        )

    @classmethod
    def from_dict(cls, values: Mapping) -> 'IdentityScores':
        """What :meth:`to_dict` wrote, as one trial."""
        rows = {name: np.array([values[name]], float) for name in ('queries', *COMPARED)}
        texts = {name: values[name] for name in ('setting', 'asked', 'galleries')}
        return cls(ids=np.array(values['ids']), **texts, **rows)


@dataclass(frozen=True, eq=False)
class QueryResults:
    """The scores of every query of one setting, in each of T trials.

    Args:
        names: The Nq images that ask in any trial, shape (Nq,).
        person_ids: Who is on them, shape (Nq,).
        first_rank: 1-based rank of the first match, as the setting counts ranks; 0 where a query
            has no admissible match, or is not asked in the trial; shape (T, Nq).
        average_precision: In [0, 1], 0 where the rank is 0, shape (T, Nq).
        galleries: Digest of the galleries of all trials, see :func:`digest`.
    """

    names: np.ndarray
    person_ids: np.ndarray
    first_rank: np.ndarray
    average_precision: np.ndarray
    galleries: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QueryResults) and all(
            np.array_equal(getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)
        )

    def by_identity(self, setting: str) -> IdentityScores:
        """Add up the queries of every identity.

        Args:
            setting: Name of the setting.
        """
        matched = self.first_rank > 0
        has_match = matched.any(axis=0)
        ids, labels = np.unique(self.person_ids[has_match], return_inverse=True)
        values = dict(
            queries=matched, R1=self.first_rank == 1, mAP=self.average_precision * matched
        )
        sums = {name: np.zeros((len(matched), len(ids))) for name in values}
        for name, value in values.items():
            np.add.at(sums[name].T, labels, value[:, has_match].T)
        asked = digest([self.names, self.person_ids])
        return IdentityScores(setting, ids, asked=asked, galleries=self.galleries, **sums)


def digest(lists: Sequence[Sequence[str]]) -> str:
    """A short name for lists of image names, the same only where they are.

    Example:
        >>> digest([['a', 'b'], ['c']]) == digest([['a'], ['b', 'c']])
        False
    """
    return sha256(json.dumps([list(map(str, names)) for names in lists]).encode()).hexdigest()[:16]


def save_queries(
    results: Mapping[str, QueryResults], path: str | Path, source: Mapping | None = None
) -> None:
    """Write the queries of some settings to an ``.npz`` file.

    Args:
        results: By the names of the settings.
        path: File to write.
        source: What else is known, plain values by name: protocol, data set, checkpoint.
    """
    arrays = {'source': np.array(json.dumps(dict(source or {}), default=str))}
    for setting, result in results.items():
        for field in fields(result):
            value = np.asarray(getattr(result, field.name))
            arrays[f'{setting}:{field.name}'] = _small(value)
    with new_file(path) as draft:
        np.savez_compressed(draft, **arrays)


def load_queries(path: str | Path) -> tuple[dict[str, QueryResults], dict]:
    """Read what :func:`save_queries` wrote.

    Returns:
        The results by the names of their settings, and what is known about them.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is something else.
    """
    if not Path(path).is_file():
        raise MissingFileError(f'load_queries: `path` is {path}, which is not a file.')
    try:
        with np.load(path, allow_pickle=False) as archive:
            source = json.loads(str(archive['source']))
            settings = dict.fromkeys(k.rpartition(':')[0] for k in archive.files if ':' in k)
            results = {setting: _result(archive, setting) for setting in settings}
    except (ValueError, KeyError, OSError, TypeError, zipfile.BadZipFile) as error:
        raise InvalidValueError(
            f'load_queries: `path` is {path}, expected the results of single queries, which '
            'test.py writes as <protocol>_queries.npz.'
        ) from error
    return results, source


def _result(archive: Mapping[str, np.ndarray], setting: str) -> QueryResults:
    values = {field.name: archive[f'{setting}:{field.name}'] for field in fields(QueryResults)}
    return QueryResults(**dict(values, galleries=str(values['galleries'])))


def _small(value: np.ndarray) -> np.ndarray:
    """The smallest type that holds integers exactly, and average precisions to 1e-7."""
    if value.dtype.kind in 'iu':
        return value.astype(np.result_type(*map(np.min_scalar_type, (value.min(), value.max()))))
    return value.astype(np.float32) if value.dtype.kind == 'f' else value
