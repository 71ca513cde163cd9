import cv2
import numpy as np

from mmvireid.reports import read_run
from mmvireid.reports.generated import generated


def test_the_last_picture_comes_first_and_few_are_shown(make_run, parse):
    folder = make_run('a').folder
    pictures = folder / '20260101_000000/vis_data/vis_image'
    pictures.mkdir()
    for step in range(100, 2100, 100):
        picture = np.full((20, 10, 3), step // 10, np.uint8)
        cv2.imwrite(str(pictures / f'generated_{step}.png'), picture)
    blocks = generated([read_run(folder, 'a')]).pictures
    assert [parse(block).text for block in blocks] == [
        'generated_2000', 'generated_100', 'generated_700', 'generated_1400',
    ]  # fmt: skip
    (pictures / 'generated_2000.png').write_bytes(b'no picture')
    assert 'cannot read' in generated([read_run(folder, 'a')]).pictures[0]


def test_none_are_a_sentence_with_what_makes_them(make_run, parse):
    assert 'GenerationHook' in parse(generated([make_run('a')]).body).text
