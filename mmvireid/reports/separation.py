"""How features lie: distances within and across the modalities, and t-SNE."""

from collections.abc import Sequence

import numpy as np

from mmvireid.errors import InvalidValueError
from mmvireid.evaluation.functional import DistanceHistograms, distance_histograms
from mmvireid.reports.markup import COLORS, Section, each_run, grid, plot, sentence
from mmvireid.reports.run import Run
from mmvireid.structures import INFRARED, VISIBLE
from mmvireid.visualization import choose_rows, tsne

_PAIRS = {
    'visible to infrared': (VISIBLE, INFRARED),
    'visible to visible': (VISIBLE, VISIBLE),
    'infrared to infrared': (INFRARED, INFRARED),
}
#: Whom t-SNE shows, and of how many images.
_NUM_IDS, _MAX_POINTS = 10, 400
_SYMBOLS = {VISIBLE: 'circle', INFRARED: 'x'}


def distances(runs: Sequence[Run]) -> Section:
    """Histograms of distances, within and across the modalities.

    Args:
        runs: At least one.
    """
    told = (
        'Euclidean distances of L2-normalised features, all pairs of test images, whatever their '
        'cameras; each kind of pairs has the area 1.'
    )
    return Section('Distances', sentence(told, 'note') + each_run(runs, _histograms))


def _histograms(run: Run) -> str:
    features, plots = run.test.features, []
    for name, pair in _PAIRS.items():
        try:
            found = distance_histograms(features, *pair, num_bins=60)
        except InvalidValueError as error:
            plots.append(sentence(f'{name}: {error}'))
        else:
            plots.append(_densities(name, found))
    return grid(plots)


def _densities(name: str, found: DistanceHistograms) -> str:
    data = []
    for kind, counts, mean, color in (
        ('one person', found.same, found.same_mean, COLORS[0]),
        ('two people', found.different, found.different_mean, COLORS[1]),
    ):
        density = counts / counts.sum() / np.diff(found.edges)
        data.append(
            dict(
                x=found.edges,
                y=[*density, 0],
                name=f'{kind}, mean {mean:.2f}',
                line=dict(color=color, shape='hv', width=1.5),
                fill='tozeroy',
                mode='lines',
            )
        )
    legend = dict(orientation='h', x=0, y=1.02, yanchor='bottom', font=dict(size=10))
    return plot(
        f'{name}: means {found.delta:.3f} apart', data, showlegend=True, legend=legend,
        xaxis=dict(range=[0, 2], title=dict(text='distance')), margin=dict(t=42),
    )  # fmt: skip


def embedding(runs: Sequence[Run]) -> Section:
    """Features in two dimensions.

    Args:
        runs: At least one.
    """
    told = (
        f'Images of {_NUM_IDS} people drawn at random, a colour each: circles are visible images, '
        'crosses infrared ones. Distances between groups say little, groups of one modality much.'
    )
    return Section('t-SNE of the features', sentence(told, 'note') + each_run(runs, _scatter))


def _scatter(run: Run) -> str:
    features = run.test.features
    embed = tsne(seed=0)
    rows = choose_rows(features, _NUM_IDS, _MAX_POINTS, seed=0)
    points = embed(features.features[rows])
    people, modalities = features.person_ids[rows], features.modalities[rows]
    cameras = features.camera_ids[rows]
    data = []
    for number, person in enumerate(np.unique(people)):
        for modality, symbol in _SYMBOLS.items():
            shown = (people == person) & (modalities == modality)
            data.append(
                dict(
                    x=points[shown, 0],
                    y=points[shown, 1],
                    mode='markers',
                    name=f'id {person}, {modality}',
                    text=[f'id {person}, cam {camera}' for camera in cameras[shown]],
                    marker=dict(symbol=symbol, size=6, color=_shade(number)),
                )
            )
    bare = dict(showticklabels=False, zeroline=False)
    return grid([plot(f'{len(rows)} images', data, 'square', xaxis=bare, yaxis=bare)])


def _shade(number: int) -> str:
    """A colour for each of ten people."""
    return (*COLORS, '#a6761d', '#7570b3', '#66a61e')[number % 10]
