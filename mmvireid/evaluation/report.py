"""Results of an evaluation, as numbers and as files."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from mmvireid.errors import InvalidValueError
from mmvireid.evaluation.query_results import QueryResults
from mmvireid.storage import new_file

#: The ranks of the CMC that tables and logs show.
RANKS = (1, 5, 10, 20)
#: The figures of a setting, by the names that they have there.
FIGURES = (*(f'R{rank}' for rank in RANKS), 'mAP', 'mINP')


@dataclass(frozen=True)
class SettingResult:
    """What one protocol setting gave; fractions, one entry per trial.

    Args:
        cmc: Share of queries whose first match is among the first r ranks, r = 1 ... R,
            shape (T, R). R is at most the number of ranks that exist, where CMC is 1.
        mAP: Mean average precision, shape (T,).
        mINP: Mean inverse negative penalty, shape (T,).
        num_valid_queries: Queries with an admissible match; only these are averaged, shape (T,).
        num_dropped_queries: The other queries, shape (T,).
        tied_share: Share of neighbours in the rankings (of all candidates) that are equally far
            from the query, so that their order is a matter of lot, shape (T,).
        queries: What every single query got.
    """

    cmc: np.ndarray
    mAP: np.ndarray
    mINP: np.ndarray
    num_valid_queries: np.ndarray
    num_dropped_queries: np.ndarray
    tied_share: np.ndarray | None = None
    queries: QueryResults | None = None

    @property
    def scores(self) -> dict[str, np.ndarray]:
        """R1, R5, R10, R20, mAP and mINP in percent, each of shape (T,)."""
        return self.figures(FIGURES)

    def figures(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Some figures in percent, each of shape (T,).

        Args:
            names: ``'mAP'``, ``'mINP'`` and ``'R<k>'``, the CMC at rank k.

        Raises:
            ValueError: If a rank is beyond those that were computed.
        """
        return {name: 100 * self._figure(name) for name in names}

    def _figure(self, name: str) -> np.ndarray:
        if not name.startswith('R'):
            return getattr(self, name)
        rank, length = int(name[1:]), self.cmc.shape[1]
        if rank > length and not (self.cmc[:, -1] == 1).all():
            raise InvalidValueError(
                f'SettingResult: {name} is asked for, expected a rank of at most {length}, as many '
                'as were computed (`max_rank`).'
            )
        return self.cmc[:, min(rank, length) - 1]

    def to_dict(self) -> dict:
        """Plain numbers for a JSON file: fractions, mean and standard deviation over trials.

        The deviation is that of the trials themselves (division by T). The number of valid
        queries is the same in every trial of the built-in protocols; otherwise the smallest one
        is given, and each trial's own in ``per_trial``.
        """
        values = {'cmc': self.cmc, 'mAP': self.mAP, 'mINP': self.mINP}
        summary = {}
        for name, value in values.items():
            summary[name] = value.mean(axis=0).tolist()
            summary[f'{name}_std'] = value.std(axis=0).tolist()
        values['num_valid_queries'] = self.num_valid_queries
        values['num_dropped_queries'] = self.num_dropped_queries
        if self.tied_share is not None:
            values['tied_share'] = self.tied_share
            summary['tied_share'] = float(self.tied_share.max())
        summary['num_valid_queries'] = int(self.num_valid_queries.min())
        summary['num_dropped_queries'] = int(self.num_dropped_queries.max())
        summary['per_trial'] = [
            {name: value[trial].tolist() for name, value in values.items()}
            for trial in range(len(self.mAP))
        ]
        return summary

    @classmethod
    def from_dict(cls, values: Mapping) -> Self:
        """What :meth:`to_dict` wrote, without the single queries and the ties."""
        names = ('cmc', 'mAP', 'mINP', 'num_valid_queries', 'num_dropped_queries')
        trials = values['per_trial']
        return cls(*(np.array([trial[name] for trial in trials]) for name in names))


def check_figures(owner: str, names: Sequence[str]) -> int:
    """Make sure that figures are known.

    Args:
        owner: Who asks, for the message.
        names: As in :meth:`SettingResult.figures`.

    Returns:
        The largest rank among them, at least the largest of :data:`RANKS`.

    Raises:
        ValueError: If there is none, or one is unknown.
    """
    known = [name for name in names if re.fullmatch(r'mAP|mINP|R[1-9]\d*', str(name))]
    if isinstance(names, str) or not names or len(known) < len(names):
        raise InvalidValueError(
            f"{owner}: `scores` is {names!r}, expected some of 'mAP', 'mINP' and 'R<k>' for rank k."
        )
    return max(*RANKS, *(int(name[1:]) for name in names if name.startswith('R')))


#: Results by the name of their setting, such as ``'sysu/all-1shot'``.
Report = dict[str, SettingResult]


def write_trials(report: Report, path: str | Path) -> None:
    """Write a CSV file with one row per setting and trial, figures in percent.

    Args:
        report: What to write.
        path: File to write; its folder is created.
    """
    with new_file(path) as draft, draft.open('w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['setting', 'trial', *FIGURES, 'num_valid_queries', 'num_dropped_queries'])
        for setting, result in report.items():
            for trial, row in enumerate(zip(*result.scores.values())):
                counts = result.num_valid_queries[trial], result.num_dropped_queries[trial]
                writer.writerow([setting, trial, *(f'{value:.4f}' for value in row), *counts])
