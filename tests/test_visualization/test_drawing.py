import cv2
import numpy as np
from matplotlib.figure import Figure

from mmvireid.visualization import write_figure
from mmvireid.visualization.drawing import add_margin, add_title, text_width, widen

PICTURE = np.full((20, 30, 3), 7, np.uint8)


def test_margins_are_white_and_leave_the_picture():
    wide = add_margin(PICTURE, above=1, below=2, left=3, right=4)
    assert wide.shape == (23, 37, 3)
    np.testing.assert_array_equal(wide[1:21, 3:33], PICTURE)
    assert wide.sum() == PICTURE.sum() + 255 * 3 * (23 * 37 - 20 * 30)
    assert widen(PICTURE, 10).shape == PICTURE.shape
    assert widen(PICTURE, 40).shape == (20, 40, 3)


def test_a_title_has_room_and_ink():
    title = 'a title that is longer than the picture'
    drawn = add_title(PICTURE, title)
    assert drawn.shape[1] > text_width(title, 0.45)
    above = drawn[: -len(PICTURE)]
    assert (above < 128).any() and (above[:, -2:] == 255).all()
    np.testing.assert_array_equal(drawn[-20:, :30], PICTURE)


def test_a_figure_is_written_with_its_size(tmp_path):
    write_figure(Figure(figsize=(2, 1)), tmp_path / 'new folder/a.png')
    assert cv2.imread(str(tmp_path / 'new folder/a.png')).shape == (150, 300, 3)
    assert [path.name for path in (tmp_path / 'new folder').iterdir()] == ['a.png']
