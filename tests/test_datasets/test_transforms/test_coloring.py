"""Gains of channels, measured."""

import random

import numpy as np
import pytest

from mmvireid.datasets import RandomChannelGain


def test_each_channel_has_one_gain_of_its_own():
    random.seed(0)
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) + 100
    before = image.copy()
    gains = []
    for _ in range(500):
        result = RandomChannelGain((0.5, 1.5))({'img': image})['img']
        assert result.dtype == np.uint8
        ratios = result / before
        assert np.ptp(ratios, axis=(0, 1)).max() < 0.01 + 1 / 100  # rounding to whole values
        gains.append(ratios.mean(axis=(0, 1)))
    assert np.array_equal(image, before)  # it may be that of a cache
    gains = np.array(gains)
    assert 0.49 < gains.min() < 0.52 and 1.48 < gains.max() < 1.51
    assert np.abs(gains.mean(axis=0) - 1).max() < 0.05  # 3.9 standard deviations
    assert np.abs(np.corrcoef(gains.T) - np.eye(3)).max() < 0.18  # 4 standard deviations


def test_values_are_rounded_and_clipped():
    image = np.array([[[1, 200, 255]]], np.uint8)
    doubled = RandomChannelGain((1.5, 1.5))({'img': image})['img']
    assert doubled.tolist() == [[[2, 255, 255]]]


@pytest.mark.parametrize('gain_range', [(1.2, 0.8), (-0.1, 1.0)])
def test_other_ranges_are_refused(gain_range):
    with pytest.raises(ValueError, match='`gain_range` is'):
        RandomChannelGain(gain_range)
