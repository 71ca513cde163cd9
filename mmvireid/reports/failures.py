"""Which cameras and which people fail."""

from collections.abc import Sequence

import numpy as np

from mmvireid.errors import Refusal
from mmvireid.evaluation.functional import CameraPairs, camera_pairs
from mmvireid.reports.markup import (
    NOTHING,
    Section,
    color_of,
    each_run,
    framed,
    grid,
    label,
    legend,
    plot,
    sentence,
    table,
    text,
)
from mmvireid.reports.run import Run

#: How many people are listed.
_LISTED = 15


def cameras(runs: Sequence[Run]) -> Section:
    """R1 by the cameras of query and gallery.

    Args:
        runs: At least one.
    """
    told = (
        'R1 in percent of the queries of one camera among the gallery images of one camera, over '
        'all trials; a part of a gallery is easier than the whole.'
    )
    body = sentence(told, 'note') + each_run(runs, _cameras_of)
    return Section('R1 by pair of cameras', body)


def _cameras_of(run: Run) -> str:
    test = run.test
    found = camera_pairs(test.features, test.retrieval, test.provenance.get('distance', 'cosine'))
    return f'<p class="note">{text(test.looked_at[0])}</p>{_heatmap(found)}'


def _heatmap(found: CameraPairs) -> str:
    """A table whose cells are the darker, the fewer queries are right."""
    titles = ''.join(f'<th>gallery {number}</th>' for number in found.gallery_cameras)
    rows = []
    for camera, values, asked in zip(found.query_cameras, found.R1, found.asked):
        cells = [
            f'<td style="background:{_shade(value)}" title="{count} queries">{value:.1f}</td>'
            if count
            else f'<td class="none" title="no such pair, or excluded">{NOTHING}</td>'
            for value, count in zip(values, asked)
        ]
        rows.append(f'<tr><th scope="row">query {camera}</th>{"".join(cells)}</tr>')
    return framed(f'<th></th>{titles}', ''.join(rows), 'numbers shaded')


def _shade(percent: float) -> str:
    """White for what is all right, orange for what fails."""
    return f'rgba(213,94,0,{0.6 * (1 - percent / 100):.2f})'


def people(runs: Sequence[Run]) -> Section:
    """R1 by identity: everyone in order, and those who fail most.

    Args:
        runs: At least one.
    """
    body = legend([run.name for run in runs]) + grid(_order(runs)) + each_run(runs, _worst_of)
    return Section('R1 by identity', body)


def _of_people(run: Run) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Identities, their queries, R1 and mAP in percent, over trials, each of shape (I,)."""
    name, queries = run.test.looked_at
    scores = queries.by_identity(name)
    counts = scores.queries.sum(axis=0)
    return (
        scores.ids,
        counts,
        *(100 * getattr(scores, key).sum(axis=0) / counts for key in ('R1', 'mAP')),
    )


def _order(runs: Sequence[Run]) -> list[str]:
    """A plot of everyone's R1, the lowest first."""
    data = []
    for number, run in enumerate(runs):
        try:
            ids, _, rank_1, _ = _of_people(run)
        except Refusal:
            continue  # said with the list
        order = np.argsort(rank_1, kind='stable')
        data.append(
            dict(
                x=100 * (np.arange(len(ids)) + 0.5) / len(ids),
                y=rank_1[order],
                text=[f'id {identity}' for identity in ids[order]],
                mode='lines+markers',
                marker=dict(size=4),
                line=dict(color=color_of(number), shape='hvh'),
                name=label(run.name),
            )
        )
    if not data:
        return []
    axes = dict(
        xaxis=dict(title=dict(text='people, in % of all')), yaxis=dict(title=dict(text='R1, %'))
    )
    return [plot('Everyone, the worst first', data, 'broad', **axes)]


def _worst_of(run: Run) -> str:
    """Who fails most."""
    ids, counts, rank_1, precision = _of_people(run)
    name, _ = run.test.looked_at
    order = np.lexsort((precision, rank_1))
    rows = [
        [f'id {ids[i]}', f'{rank_1[i]:.1f}', f'{precision[i]:.1f}', int(counts[i])]
        for i in order[:_LISTED]
    ]
    never, always = (rank_1 == 0).sum(), (rank_1 == 100).sum()
    told = (
        f'{name}: of {len(ids)} people {never} are never found at rank 1, {always} always. '
        f'The {len(rows)} who fail most:'
    )
    head = ['person', 'R1, %', 'mAP, %', 'queries in all trials']
    return sentence(told, 'note') + table(head, rows, 'numbers')
