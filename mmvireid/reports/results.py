"""The results: a table, and the trials as points."""

from collections.abc import Sequence

from mmvireid.evaluation.report import FIGURES, SettingResult
from mmvireid.reports.markup import Section, color_of, grid, label, legend, plot, sentence, table
from mmvireid.reports.run import Run

#: The figures whose trials are drawn.
_DRAWN = ('R1', 'mAP', 'mINP')


def results(runs: Sequence[Run]) -> Section:
    """Mean and deviation of every figure, in percent, and a point for each trial.

    Args:
        runs: At least one.
    """
    found: dict[str, dict[int, SettingResult]] = {}
    for number, run in enumerate(runs):
        for test in run.tests:
            for setting, result in test.results.items():
                if number in found.get(setting, {}):  # of another evaluator of the same protocol
                    setting = f'{setting} of {test.path.name}'
                found.setdefault(setting, {})[number] = result
    if not found:
        command = f'tools/test.py CONFIG CHECKPOINT --work-dir {runs[0].folder}'
        return Section('Results', sentence(f'There are none: {command} leaves them.'))
    names = [run.name for run in runs]
    several = len(runs) > 1
    rows = [
        [setting, *([names[number]] * several), *_cells(result)]
        for setting, by_run in found.items()
        for number, result in by_run.items()
    ]
    head = ['setting', *(['run'] * several), *FIGURES, 'queries', 'trials']
    body = sentence('Percent, mean ± standard deviation over trials.', 'note')
    body += table(head, rows, 'numbers') + legend(names)
    body += grid(_trials(setting, by_run, names) for setting, by_run in found.items())
    return Section('Results', body)


def _cells(result: SettingResult) -> list[str]:
    cells = [f'{value.mean():.2f} ± {value.std():.2f}' for value in result.scores.values()]
    return [*cells, str(result.num_valid_queries.min()), str(len(result.mAP))]


def _trials(setting: str, by_run: dict[int, SettingResult], names: Sequence[str]) -> str:
    """The trials of a setting, runs side by side."""
    data = []
    for number, result in by_run.items():
        values = result.figures(_DRAWN)
        data.append(
            dict(
                type='box',
                x=[name for name, trials in values.items() for _ in trials],
                y=[value for trials in values.values() for value in trials],
                name=label(names[number]),
                boxpoints='all',
                pointpos=0,
                jitter=0.4,
                fillcolor='rgba(0,0,0,0)',
                line=dict(color='rgba(0,0,0,0)'),  # the points alone
                marker=dict(color=color_of(number), size=5, opacity=0.7),
                hoveron='points',
            )
        )
    return plot(setting, data, boxmode='group', yaxis=dict(title=dict(text='%')))
