"""Histograms of distances between the modalities."""

from pathlib import Path

import numpy as np

from mmvireid.evaluation.functional import DistanceHistograms
from mmvireid.visualization.drawing import write_figure


def mean_distances(histograms: dict[str, DistanceHistograms]) -> list[list[str]]:
    """Write mean distances and their difference as the rows of a table, its head among them.

    Args:
        histograms: By the name of what was measured.

    Returns:
        Rows for :func:`~mmvireid.evaluation.align_rows`.
    """
    rows = [['mean distance', 'same identity', 'different', 'delta']]
    for name, found in histograms.items():
        means = found.same_mean, found.different_mean, found.delta
        rows.append([name, *(f'{value:.4f}' for value in means)])
    return rows


def draw_distances(histograms: dict[str, DistanceHistograms], path: Path) -> None:
    """Draw densities of the distances side by side, each to its own scale, with means and delta.

    Args:
        histograms: By the title of the panel.
        path: Picture to write.
    """
    from matplotlib.figure import Figure  # takes a quarter of a second, which few commands need

    figure = Figure(figsize=(5 * len(histograms), 4), layout='constrained')
    panels = figure.subplots(1, len(histograms), sharex=True, squeeze=False)[0]
    for axes, (name, found) in zip(panels, histograms.items()):
        for kind, counts, mean, color in (
            ('same identity', found.same, found.same_mean, '#0072b2'),
            ('different identities', found.different, found.different_mean, '#d55e00'),
        ):
            density = counts / counts.sum() / np.diff(found.edges)
            label = f'{kind}, mean {mean:.3f}'
            axes.stairs(density, found.edges, fill=True, alpha=0.5, color=color, label=label)
            axes.axvline(mean, color=color, linestyle='--')
        axes.set_title(f'{name}: delta = {found.delta:.3f}')
        axes.margins(y=0.35)  # room for the legend
        axes.legend(loc='upper right')
    figure.supxlabel('Euclidean distance of L2-normalised features, visible to infrared')
    figure.supylabel('density')
    write_figure(figure, path)
