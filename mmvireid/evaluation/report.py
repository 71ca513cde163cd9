"""Results of an evaluation, as numbers and as files."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmvireid.utils import new_file

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
    """

    cmc: np.ndarray
    mAP: np.ndarray
    mINP: np.ndarray
    num_valid_queries: np.ndarray
    num_dropped_queries: np.ndarray
    tied_share: np.ndarray | None = None

    @property
    def scores(self) -> dict[str, np.ndarray]:
        """R1, R5, R10, R20, mAP and mINP in percent, each of shape (T,)."""
        last = self.cmc.shape[1] - 1
        values = [*(self.cmc[:, min(rank - 1, last)] for rank in RANKS), self.mAP, self.mINP]
        return {name: 100 * value for name, value in zip(FIGURES, values)}

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
