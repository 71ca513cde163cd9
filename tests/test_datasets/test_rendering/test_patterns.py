import numpy as np
import pytest

from mmvireid.datasets.rendering.patterns import KINDS, Pattern

AZIMUTH = np.linspace(-np.pi, np.pi, 200)[None]
HEIGHT = np.linspace(0.2, 0.5, 150)[:, None]


def weight(kind, azimuth=AZIMUTH, height=HEIGHT, period=0.1):
    values = Pattern(kind, period, 0.3).weight(azimuth, 0.1, height)
    return None if values is None else np.broadcast_to(values, (height.size, azimuth.size))


@pytest.mark.parametrize('kind', sorted(set(KINDS) - {'plain'}))
def test_both_tones_show(kind):
    assert 0.02 < weight(kind).mean() < 0.98


def test_plain_has_one_tone():
    assert weight('plain') is None


def test_hoops_and_stripes_repeat_with_their_period():
    hoops = weight('hoops')
    assert (hoops == hoops[:, :1]).all()
    assert np.array_equal(hoops, weight('hoops', height=HEIGHT + 0.1))
    stripes = weight('stripes')
    assert (stripes == stripes[:1]).all()
    assert np.array_equal(stripes, weight('stripes', azimuth=AZIMUTH + 1.0))  # 0.1 = 1.0 * radius


def test_print_shows_in_front_and_on_the_back_only():
    across = weight('print').any(0)
    angle = np.degrees(AZIMUTH[0])
    assert across[abs(angle) < 10].all()
    assert across[abs(angle) > 170].all()
    assert not across[abs(abs(angle) - 90) < 20].any()


def test_open_coat_shows_in_front_only():
    assert abs(AZIMUTH[0])[weight('open').any(0)].max() < np.pi / 3
