"""Decoding against OpenCV and Pillow, and images of every kind by hand."""

import base64
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from mmvireid.pictures import decode_image, picture_url, read_image, to_bgr


def by_hand(kind):
    """An array or Pillow image to write, how to write it, and what a person sees, RGB."""
    rng = np.random.default_rng(0)
    color = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    deep = rng.integers(0, 65536, (4, 5, 4), dtype=np.uint16)
    grey = np.repeat(color[..., :1], 3, axis=2)
    alpha = np.dstack([color, color[..., 1]])
    colors = Image.fromarray(color).quantize(4)
    see_through = colors.copy()
    see_through.info['transparency'] = bytes([0, 9, 90, 255])
    of_palette = np.array(colors.getpalette()[:12]).reshape(4, 3)[np.asarray(colors)]
    black_white = color[..., 0] > 99
    frames = dict(save_all=True, append_images=[Image.new('RGB', (5, 4))])
    deep_grey = np.repeat(deep[..., :1] // 256, 3, axis=2)
    return {
        'colour.png': (color, {}, color),
        'colour.bmp': (color, {}, color),
        'colour.tif': (color, {}, color),
        'colour.webp': (color, dict(lossless=True), color),
        'grey.png': (color[..., 0], {}, grey),
        'grey.bmp': (color[..., 0], {}, grey),
        'alpha.png': (alpha, {}, color),
        'grey and alpha.png': (alpha[..., ::3], {}, grey),
        'key colour.png': (color, dict(transparency=(1, 2, 3)), color),
        'palette.png': (colors, {}, of_palette),
        'palette.gif': (colors, {}, of_palette),
        'palette with alpha.png': (see_through, {}, of_palette),
        '1 bit.png': (black_white, {}, np.repeat(255 * black_white[..., None], 3, axis=2)),
        'grey 16.png': (deep[..., 0], {}, deep_grey),
        'grey 16.tif': (deep[..., 0], {}, deep_grey),
        'grey 16.pgm': (deep[..., 0], {}, deep_grey),
        'colour 16.png': (deep[..., :3], {}, deep[..., :3] // 256),
        'colour 16.tif': (deep[..., :3], {}, deep[..., :3] // 256),
        'colour and alpha 16.png': (deep, {}, deep[..., :3] // 256),
        'animated.png': (color, frames, color),
        'pages.tif': (color, frames, color),
    }[kind]


KINDS = [
    *('colour.png', 'colour.bmp', 'colour.tif', 'colour.webp', 'grey.png', 'grey.bmp'),
    *('alpha.png', 'grey and alpha.png', 'key colour.png', 'palette.png', 'palette.gif'),
    *('palette with alpha.png', '1 bit.png', 'grey 16.png', 'grey 16.tif', 'grey 16.pgm'),
    *('colour 16.png', 'colour 16.tif', 'colour and alpha 16.png', 'animated.png', 'pages.tif'),
]  # fmt: skip


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize('kind', KINDS)
def test_every_kind_of_file_is_what_a_person_sees(tmp_path, backend, kind):
    path = str(tmp_path / kind)
    content, options, expected = by_hand(kind)
    if isinstance(content, np.ndarray) and content.dtype == np.uint16:
        channels = [0] if content.ndim == 2 else [2, 1, 0, 3][: content.shape[2]]
        assert cv2.imwrite(path, content if content.ndim == 2 else content[..., channels])
    else:
        image = content if isinstance(content, Image.Image) else Image.fromarray(content)
        image.save(path, **options)
    np.testing.assert_array_equal(read_image(path, backend), np.asarray(expected)[..., ::-1])


@pytest.mark.parametrize('mode', ['RGB', 'L', 'CMYK'])
@pytest.mark.parametrize('options', [{}, dict(subsampling=0), dict(progressive=True)])
def test_jpegs_decode_alike(tmp_path, mode, options):
    path = str(tmp_path / 'x.jpg')
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path, **options)
    images = [read_image(path, backend) for backend in ('cv2', 'pillow')]
    np.testing.assert_array_equal(*images)
    with Image.open(path) as image:
        np.testing.assert_array_equal(images[0], np.asarray(image.convert('RGB'))[..., ::-1])
    if mode != 'CMYK':  # as always, to the last bit
        np.testing.assert_array_equal(images[0], cv2.imread(path))


#: What a person sees of an image whose first row is 1 2 3 and second row 4 5 6, per orientation.
ORIENTATIONS = {
    1: [[1, 2, 3], [4, 5, 6]],
    2: [[3, 2, 1], [6, 5, 4]],
    3: [[6, 5, 4], [3, 2, 1]],
    4: [[4, 5, 6], [1, 2, 3]],
    5: [[1, 4], [2, 5], [3, 6]],
    6: [[4, 1], [5, 2], [6, 3]],
    7: [[6, 3], [5, 2], [4, 1]],
    8: [[3, 6], [2, 5], [1, 4]],
}


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize('suffix', ['jpg', 'png', 'tif', 'webp'])
@pytest.mark.parametrize('orientation', ORIENTATIONS)
def test_people_stand_upright(tmp_path, backend, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.kron(np.array(ORIENTATIONS[1]) * 30, np.ones((16, 16))).astype(np.uint8)
    path = str(tmp_path / f'x.{suffix}')
    Image.fromarray(pixels).convert('RGB').save(path, exif=exif)
    expected = np.array(ORIENTATIONS[orientation])
    assert np.array_equal((read_image(path, backend)[8::16, 8::16, 0] / 30).round(), expected)


def test_metadata_that_cannot_be_read_say_nothing(tmp_path):
    path = str(tmp_path / 'x.jpg')
    Image.new('RGB', (5, 4)).save(path, exif=b'Exif\0\0II*\0\xff\xff\xff\xff')
    for backend in ('cv2', 'pillow'):
        assert read_image(path, backend).shape == (4, 5, 3)


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize(
    'pixels',
    [np.ones((4, 5), np.float32), np.ones((4, 5), np.int32), np.ones((4, 5, 3), np.float32)],
)
def test_values_of_an_unknown_range_are_refused(tmp_path, backend, pixels):
    cv2.imwrite(str(tmp_path / 'x.tif'), pixels)
    with pytest.raises(ValueError, match=r'read_image: cannot read .*x\.tif'):
        read_image(str(tmp_path / 'x.tif'), backend)


@pytest.mark.parametrize(
    ('pixels', 'grey'),
    [
        (np.array([[0, 255, 256, 65535]], np.uint16), [0, 0, 1, 255]),
        (np.array([[0, 255, 256, 65535]], '>u2')[..., None], [0, 0, 1, 255]),
        (np.array([[True, False]]), [255, 0]),
        (np.array([[[7, 7, 7, 0], [9, 9, 9, 255]]], np.uint8), [7, 9]),
    ],
)
def test_arrays_follow_the_same_rules(pixels, grey):
    image = to_bgr(pixels)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, np.repeat(np.array(grey)[None, :, None], 3, axis=2))


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize('suffix', ['jpg', 'png', 'webp'])
def test_a_file_without_its_end_is_refused(tmp_path, backend, suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    path, thumbnail = tmp_path / f'x.{suffix}', BytesIO()
    Image.fromarray(pixels).resize((8, 8)).save(thumbnail, 'JPEG')  # has an end of its own
    exif = Image.Exif()
    exif[0x927C] = thumbnail.getvalue()
    Image.fromarray(pixels).save(path, exif=exif)
    read_image(str(path), backend)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match='cannot read'):
        read_image(str(path), backend)


def test_bytes_are_decoded_as_files_are_and_never_too_many_pixels(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (30, 20, 3), dtype=np.uint8)
    for name, mode in (('a.png', 'RGB'), ('b.jpg', 'CMYK'), ('c.png', 'RGBA'), ('d.gif', 'P')):
        path = tmp_path / name
        Image.fromarray(pixels).convert(mode).save(path)
        data = path.read_bytes()
        assert np.array_equal(decode_image(data), read_image(str(path)))
        assert decode_image(data, max_pixels=600).shape == (30, 20, 3)
        with pytest.raises(ValueError, match='20 x 30 pixels, expected at most 599'):
            decode_image(data, max_pixels=599)
    for data in (b'', b'no picture', (tmp_path / 'a.png').read_bytes()[:60]):
        with pytest.raises(ValueError, match='`data` cannot be read'):
            decode_image(data)


def decoded(url: str) -> np.ndarray:
    head, data = url.split(',')
    assert head == 'data:image/jpeg;base64'
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)


def test_pictures_are_shown_small_and_missing_ones_grey():
    wide = np.zeros((1000, 400, 3), np.uint8)
    wide[:] = (200, 30, 60)
    shown = decoded(picture_url(wide))
    assert shown.shape == (256, 102, 3) and np.abs(shown.astype(int) - wide[0, 0]).max() < 6
    assert decoded(picture_url(wide[:50, :20])).shape == (50, 20, 3)
    gone = decoded(picture_url(None)).astype(int)
    assert np.ptp(gone, axis=2).max() < 4
    small = decoded(picture_url(wide, height=100, quality=20))
    assert small.shape == (100, 40, 3)
    assert len(picture_url(wide, quality=20)) < len(picture_url(wide, quality=95))
