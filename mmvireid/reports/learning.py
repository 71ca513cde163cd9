"""Learning curves: every term, rate and gradient norm, and the validation."""

from collections.abc import Mapping, Sequence
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
_GROUPS = {
    'Losses, weighted': ('loss',),
    'Learning rates, and gradient norms before clipping': ('rate', 'gradient norm'),
    'What else was logged': ('other',),
}
_NO_NORMS = (
    'No gradient norms were logged: FiniteLossHook logs them, which every run has unless '
    'default_hooks.finite_loss is None.'
)


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
    found = [run.curves.kinds() for run in runs if run.curves]
    for heading, kinds in _GROUPS.items():
        names = dict.fromkeys(name for kind in kinds for names in found for name in names[kind])
        blocks.append(_group(heading, [_curve(name, runs, 'training') for name in names]))
    if not any(names['gradient norm'] for names in found):
        blocks.append(sentence(_NO_NORMS))
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
    last = max(step for run in runs if run.curves for step in run.curves.steps or [1])
    data, shapes, notes = [], [], []
    for number, run in enumerate(runs):
        points = getattr(run.curves, kind).get(name) if run.curves else None
        if not points:
            continue
        data.append(
            dict(
                **_thinned(points, run.curves.steps if kind == 'training' else sorted(points)),
                mode='lines' if kind == 'training' and len(points) > 1 else 'lines+markers',
                name=label(run.name),
                line=dict(color=color_of(number), width=1.5),
            )
        )
        lines, names = _stages(run, number, last)
        shapes += lines
        notes += names if len(runs) == 1 else []
    axis = dict(title=dict(text='iteration'), range=[0, 1.02 * last])
    return plot(name, data, shapes=shapes, annotations=notes, xaxis=axis)


def _thinned(points: Mapping[int, float], steps: Sequence[int]) -> dict[str, list]:
    """The points of a curve, with a gap where others were logged, as in a stage without it."""
    steps = [step for step in steps if min(points) <= step <= max(points)]
    steps = steps[:: -(-len(steps) // _MAX_POINTS)]
    return dict(x=steps, y=[points.get(step) for step in steps])


def _stages(run: Run, number: int, last: int) -> tuple[list[dict], list[dict]]:
    """Lines where stages begin, and the names of the stages."""
    stages = [(name, begin) for name, begin in run.record.get('stages') or [] if begin < last]
    line = dict(color=color_of(number), width=1, dash='dot')
    shapes = [
        dict(type='line', x0=begin, x1=begin, y0=0, y1=1, yref='paper', line=line)
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
