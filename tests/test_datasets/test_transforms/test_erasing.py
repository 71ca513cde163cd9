"""Erased rectangles, measured."""

import random

import numpy as np
import pytest

from mmvireid.datasets import RandomErasing

HEIGHT, WIDTH = 96, 48


def erased_rectangles(number, **options):
    """Height, width of the filled part of white images; None where nothing was filled."""
    erase = RandomErasing(fill_color=(1, 2, 3), **options)
    for _ in range(number):
        image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        result = erase({'img': image})['img']
        assert image.min() == 255  # the input is left as it is
        rows, columns = np.nonzero((result == (1, 2, 3)).all(axis=2))
        assert (result != 255).all(axis=2).sum() == len(rows)
        if len(rows) == 0:
            yield None
            continue
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert height * width == len(rows)  # a full rectangle
        yield height, width


def test_areas_aspects_and_frequency():
    random.seed(0)
    sizes = list(erased_rectangles(2000, prob=0.5))
    drawn = np.array([size for size in sizes if size is not None], dtype=float)
    assert abs(len(drawn) / len(sizes) - 0.5) < 0.05  # 4.5 standard deviations
    area = drawn.prod(axis=1) / (HEIGHT * WIDTH)
    aspect = drawn[:, 0] / drawn[:, 1]
    # Both sides are rounded by at most half a pixel, which is most for the smallest rectangles.
    assert 0.018 < area.min() < 0.03 and 0.35 < area.max() < 0.41
    assert 0.28 < aspect.min() < 0.4 and 3.1 < aspect.max() < 3.6
    assert (drawn[:, 0] < HEIGHT).all() and (drawn[:, 1] < WIDTH).all()


def test_probabilities_0_and_1():
    assert set(erased_rectangles(20, prob=0.0)) == {None}
    assert None not in set(erased_rectangles(20, prob=1.0, area_range=(0.1, 0.1)))


def test_an_image_without_room_stays():
    image = np.full((1, 1, 3), 255, np.uint8)
    assert RandomErasing(prob=1.0)({'img': image})['img'].tolist() == [[[255, 255, 255]]]


def test_the_default_colour_is_normalised_to_0():
    mean, std = np.array([103.53, 116.28, 123.675]), np.array([57.375, 57.12, 58.395])
    image = RandomErasing(prob=1.0)({'img': np.full((HEIGHT, WIDTH, 3), 255, np.uint8)})['img']
    normalised = (image - mean) / std
    assert np.abs(normalised[(image != 255).all(axis=2)]).max() < 0.009


@pytest.mark.parametrize(
    ('argument', 'value'),
    [
        ('prob', 1.5),
        ('area_range', (0, 0.4)),
        ('area_range', (0.5, 0.4)),
        ('area_range', (0.5, 1.4)),
        ('aspect_range', (0, 1)),
        ('fill_color', (0, 0)),
        ('fill_color', (0, 0, 256)),
    ],
)
def test_bad_arguments(argument, value):
    with pytest.raises(ValueError, match=f'RandomErasing: `{argument}` is'):
        RandomErasing(**{argument: value})
