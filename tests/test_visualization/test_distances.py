import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from mmvireid.evaluation.functional import DistanceHistograms
from mmvireid.visualization import draw_distances, mean_distances


@pytest.fixture
def histograms():
    edges = np.linspace(0, 2, 5)
    near = DistanceHistograms(edges, np.array([6, 2, 0, 0]), np.array([0, 1, 2, 1]), 0.3, 1.25)
    far = DistanceHistograms(edges, np.array([0, 0, 4, 4]), np.array([0, 0, 50, 50]), 1.5, 1.5)
    return dict(near=near, far=far)


def test_the_table_has_means_and_their_difference(histograms):
    assert mean_distances(histograms) == [
        ['mean distance', 'same identity', 'different', 'delta'],
        ['near', '0.3000', '1.2500', '0.9500'],
        ['far', '1.5000', '1.5000', '0.0000'],
    ]


def test_panels_show_densities_and_means(histograms, tmp_path, monkeypatch):
    figures, save = [], Figure.savefig
    monkeypatch.setattr(Figure, 'savefig', lambda *a, **k: figures.append(a[0]) or save(*a, **k))
    draw_distances(histograms, tmp_path / 'a.png')
    assert cv2.imread(str(tmp_path / 'a.png')).shape == (600, 1500, 3)
    panels = figures[0].axes
    assert [axes.get_title() for axes in panels] == ['near: delta = 0.950', 'far: delta = 0.000']
    for axes, found in zip(panels, histograms.values()):
        kinds = ('same', 'different')
        for kind, stairs, line in zip(kinds, axes.patches, axes.lines):
            density = stairs.get_data().values
            counts = getattr(found, kind)
            np.testing.assert_allclose(density, counts / counts.sum() / 0.5)
            assert (density * 0.5).sum() == pytest.approx(1)
            mean = getattr(found, f'{kind}_mean')
            assert set(line.get_xdata()) == {mean}
            assert kind in stairs.get_label() and f'{mean:.3f}' in stairs.get_label()
