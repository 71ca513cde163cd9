"""Padding and cropping against numpy."""

import random

import numpy as np
import pytest
from mmcv.transforms.utils import cache_random_params

from mmvireid.datasets import RandomPadCrop


def test_windows_of_a_padded_image():
    image = np.random.default_rng(0).integers(1, 256, (7, 5, 3), dtype=np.uint8)
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)))
    crop = RandomPadCrop(padding=2)
    random.seed(0)
    seen = set()
    for _ in range(300):
        with cache_random_params(crop):
            top, left = crop._draw_offset()
            result = crop({'img': image})['img']
        assert np.array_equal(result, padded[top : top + 7, left : left + 5])
        seen.add((top, left))
    assert seen == {(top, left) for top in range(5) for left in range(5)}


def test_no_padding_is_the_image():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(RandomPadCrop(0)({'img': image})['img'], image)


def test_bad_padding():
    with pytest.raises(ValueError, match='RandomPadCrop: `padding` is -1'):
        RandomPadCrop(-1)
