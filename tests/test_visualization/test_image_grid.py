import cv2
import numpy as np
import pytest

from mmvireid.visualization import draw_image_grid


def image(color, height=40, width=20):
    return np.full((height, width, 3), color, np.uint8)


def box_of(picture, color):
    """Rows and columns that a colour covers: first and last of each."""
    rows, columns = np.nonzero((picture == np.array(color)).all(axis=2))
    return rows.min(), rows.max(), columns.min(), columns.max()


RED, GREEN, BLUE, YELLOW = (0, 0, 255), (0, 255, 0), (255, 0, 0), (0, 255, 255)


def test_every_image_stands_in_its_row_and_column_whole():
    columns = {'first': [image(RED), image(GREEN)], 'second': [image(BLUE), image(YELLOW)]}
    picture = draw_image_grid(columns, ['one', 'two'], 'title', height=64)
    assert picture.dtype == np.uint8
    boxes = {color: box_of(picture, color) for color in (RED, GREEN, BLUE, YELLOW)}
    for top, bottom, left, right in boxes.values():
        assert (bottom - top + 1, right - left + 1) == (64, 32)
    red, green, blue, yellow = boxes.values()
    assert red[:2] == blue[:2] and green[:2] == yellow[:2] and red[1] < green[0]
    assert red[2:] == green[2:] and blue[2:] == yellow[2:] and red[3] < blue[2]
    assert red[0] >= 22  # the title and the labels stand above


def test_widths_may_differ_and_heights_become_equal():
    columns = {'a': [image(RED, 10, 30), image(GREEN, 40, 20)]}
    picture = draw_image_grid(columns, height=40)
    assert box_of(picture, RED)[1] - box_of(picture, RED)[0] == 39
    assert box_of(picture, RED)[3] - box_of(picture, RED)[2] == 119
    assert box_of(picture, GREEN)[3] - box_of(picture, GREEN)[2] == 19


@pytest.mark.parametrize('where', ['label', 'last label', 'caption', 'title'])
def test_long_texts_widen_the_picture(where):
    text = 'a text that is much longer than the picture is wide, again and again'
    labels = dict(label=(text, 'b'), **{'last label': ('a', text)}).get(where, ('a', 'b'))
    columns = {label: [image(RED)] for label in labels}
    captions = [text if where == 'caption' else 'one']
    picture = draw_image_grid(columns, captions, text if where == 'title' else 'title')
    assert picture.shape[1] > 300  # two images of 64
    # ink that touches the border has been cut off
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert (border == 255).all()


def test_every_text_is_drawn_and_none_is_drawn_for_nothing():
    columns = {'': [image((255, 255, 255))]}
    assert (draw_image_grid(columns) == 255).all()
    plain = draw_image_grid(columns)
    for texts in (dict(captions=['one']), dict(title='title')):
        assert (draw_image_grid(columns, **texts) < 128).any()
    assert (draw_image_grid({'label': columns['']}) < 128).any()
    assert plain.shape[0] < draw_image_grid(columns, title='title').shape[0]


def test_images_are_those_that_opencv_scales():
    noise = np.random.default_rng(0).integers(0, 255, (64, 32, 3), dtype=np.uint8)
    picture = draw_image_grid({'': [noise]}, height=128)
    expected = cv2.resize(noise, (64, 128), interpolation=cv2.INTER_AREA)
    top, left = picture.shape[0] - 128 - 6, 6
    np.testing.assert_array_equal(picture[top : top + 128, left : left + 64], expected)


@pytest.mark.parametrize(
    ('columns', 'captions', 'message'),
    [
        ({}, (), r'`columns` have {} images, expected at least one'),
        (dict(a=[], b=[]), (), r"`columns` have {'a': 0, 'b': 0} images"),
        (dict(a=[image(RED)], b=[]), (), r"`columns` have {'a': 1, 'b': 0} images"),
        (dict(a=[image(RED)] * 2, b=[image(RED)]), (), 'in all of them the same number'),
        (dict(a=[image(RED)] * 2), ('one',), '`captions` are 1, expected 2'),
    ],
)
def test_a_table_that_is_not_one_is_named(columns, captions, message):
    with pytest.raises(ValueError, match=message):
        draw_image_grid(columns, captions)
