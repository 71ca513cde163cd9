"""Learning curves: every term, rate and gradient norm, and the validation."""

from collections.abc import Sequence
from itertools import pairwise

from mmvireid.reports.markup import (
    Section,
    color_of,
    grid,
    label,
    legend,
    plot,
    sentence,
)
from mmvireid.reports.run import Run

#: More points are thinned out: a screen has no more.
_MAX_POINTS = 1000
#: Ends of the names of results that are not drawn: what R1 and mAP tell.
_LEFT_OUT = ('R5', 'R10', 'R20')
_TITLES = {
    'loss': 'Losses, weighted',
    'rate': 'Learning rates',
    'gradient norm': 'Gradient norms, before clipping',
    'other': 'What else was logged',
}


def learning(runs: Sequence[Run]) -> Section:
    """A plot for each curve, with the runs in it and the beginnings of stages.

    Args:
        runs: At least one.
    """
    title = 'Learning curves'
    if all(run.curves is None for run in runs):
        command = f'tools/train.py CONFIG --work-dir {runs[0].folder}'
        return Section(title, sentence(f'There are none: {command} leaves them.'))
    blocks = [legend([run.name for run in runs])]
    blocks += [sentence(f'{r.name} has none.') for r in runs if r.curves is None]
    if any(run.record.get('stages') for run in runs):
        blocks.append(sentence('Dotted lines: a stage begins.', 'note'))
    for kind, heading in _TITLES.items():
        names = dict.fromkeys(n for run in runs if run.curves for n in run.curves.kinds()[kind])
        blocks.append(_group(heading, [_curve(name, runs, 'training') for name in names]))
        if kind == 'gradient norm' and not names:
            blocks.append(
                sentence(
                    'No gradient norms were logged: FiniteLossHook, which every run has unless '
                    'default_hooks.finite_loss is None, logs them.'
                )
            )
    results = dict.fromkeys(n for run in runs if run.curves for n in run.curves.validation)
    results = [name for name in results if name.rpartition('/')[2] not in _LEFT_OUT]
    blocks.append(_group('Validation', [_curve(name, runs, 'validation') for name in results]))
    if not results:
        blocks.append(sentence('Nothing was validated: a config with val_dataloader does that.'))
    return Section(title, ''.join(blocks))


def _group(heading: str, plots: Sequence[str]) -> str:
    return f'<h3>{heading}</h3>{grid(plots)}' if plots else ''


def _curve(name: str, runs: Sequence[Run], kind: str) -> str:
    """The plot of one value."""
    data, shapes, notes = [], [], []
    for number, run in enumerate(runs):
        points = getattr(run.curves, kind).get(name) if run.curves else None
        if not points:
            continue
        steps = sorted(points)
        steps = steps[:: -(-len(steps) // _MAX_POINTS)]
        data.append(
            dict(
                x=steps,
                y=[points[step] for step in steps],
                mode='lines' if kind == 'training' and len(steps) > 1 else 'lines+markers',
                name=label(run.name),
                line=dict(color=color_of(number), width=1.5),
            )
        )
        if number == 0 or run.record.get('stages') != runs[0].record.get('stages'):
            found = _stages(run, number, steps[-1])
            shapes, notes = shapes + found[0], notes + (found[1] if number == 0 else [])
    return plot(
        name, data, shapes=shapes, annotations=notes, xaxis=dict(title=dict(text='iteration'))
    )


def _stages(run: Run, number: int, last: int) -> tuple[list[dict], list[dict]]:
    """Lines where stages begin, and the names of the stages."""
    stages = [(name, begin) for name, begin in run.record.get('stages') or [] if begin < last]
    line = dict(color=color_of(number), width=1, dash='dot')
    shapes = [
        dict(type='line', x0=begin, x1=begin, y0=0, y1=1, yref='paper', line=line, layer='below')
        for _, begin in stages[1:]
    ]
    ends = [*(begin for _, begin in stages), last]
    notes = [
        dict(
            x=(begin + end) / 2, y=1, yref='paper', yanchor='bottom', text=label(name),
            showarrow=False, font=dict(size=9),
        )
        for (name, _), (begin, end) in zip(stages, pairwise(ends))
    ]  # fmt: skip
    return shapes, notes if len(stages) > 1 else []
