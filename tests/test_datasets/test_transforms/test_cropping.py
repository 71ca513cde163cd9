"""Padding and cropping against numpy."""

import random

import numpy as np
import pytest
from mmcv.transforms import Compose, RandomFlip
from mmcv.transforms.utils import cache_random_params

from mmvireid.datasets import PackReIDInputs, RandomPadCrop


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


def extent(values):
    """Left, top, right and bottom (exclusive) of what is not 0 in (H, W)."""
    (rows,), (columns,) = values.any(1).nonzero(), values.any(0).nonzero()
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


@pytest.mark.parametrize('direction', [None, 'horizontal', 'vertical', 'diagonal'])
@pytest.mark.parametrize('crops', [1, 2])
def test_the_sample_knows_where_the_picture_is(crops, direction):
    """Also when it was flipped, or cropped twice."""
    flips = [] if direction is None else [RandomFlip(prob=1.0, direction=direction)]
    pipeline = Compose([*[RandomPadCrop(padding=2) for _ in range(crops)], *flips])
    pipeline.transforms.append(PackReIDInputs())
    white = np.full((9, 7, 3), 255, np.uint8)
    random.seed(0)
    boxes = set()
    for _ in range(30):
        packed = pipeline(dict(img=white))
        box = packed['data_samples'].picture_box
        assert box == extent(packed['inputs'][0].numpy())
        assert all(type(value) is int for value in box)
        boxes.add(box)
    assert len(boxes) > 15


def test_a_flip_before_the_crop_does_not_move_the_picture():
    pipeline = Compose([RandomFlip(prob=1.0), RandomPadCrop(padding=2), PackReIDInputs()])
    random.seed(1)
    for _ in range(20):
        packed = pipeline(dict(img=np.full((9, 7, 3), 255, np.uint8)))
        assert packed['data_samples'].picture_box == extent(packed['inputs'][0].numpy())


def test_a_picture_may_leave_its_image():
    crop = RandomPadCrop(padding=20)
    random.seed(0)
    for _ in range(50):
        results = crop(dict(img=np.full((9, 7, 3), 255, np.uint8)))
        left, top, right, bottom = results['gt_bboxes'][0]
        assert 0 <= left <= right <= 7 and 0 <= top <= bottom <= 9
        assert (right - left) * (bottom - top) == results['img'][..., 0].astype(bool).sum()


def test_bad_padding():
    with pytest.raises(ValueError, match='RandomPadCrop: `padding` is -1'):
        RandomPadCrop(-1)
