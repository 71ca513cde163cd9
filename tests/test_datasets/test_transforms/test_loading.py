"""Resizing against OpenCV and Pillow, and what loading refuses."""

import cv2
import numpy as np
import pytest
from PIL import Image

from mmvireid.datasets import LoadReIDImage


@pytest.fixture
def picture(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'x.png'), pixels)
    return str(tmp_path / 'x.png'), pixels


@pytest.mark.parametrize(
    ('name', 'code'),
    [('bilinear', cv2.INTER_LINEAR), ('lanczos', cv2.INTER_LANCZOS4), ('area', cv2.INTER_AREA)],
)
def test_cv2_resize(picture, name, code):
    path, pixels = picture
    image = LoadReIDImage((20, 10), interpolation=name)({'img_path': path})['img']
    assert np.array_equal(image, cv2.resize(pixels, (10, 20), interpolation=code))


@pytest.mark.parametrize('name', ['bilinear', 'lanczos'])
def test_pillow_resize(picture, name):
    path, _ = picture
    image = LoadReIDImage((20, 10), 'pillow', name)({'img_path': path})['img']
    reference = Image.open(path).resize((10, 20), getattr(Image.Resampling, name.upper()))
    assert np.array_equal(image, np.asarray(reference)[..., ::-1])


@pytest.mark.parametrize('name', ['bilinear', 'lanczos'])
@pytest.mark.parametrize('kind', ['grey', 'nearly grey', 'colour'])
def test_pillow_resizes_one_channel_of_grey_images_to_the_same_bits(name, kind, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    if kind != 'colour':
        pixels[..., 1:] = pixels[..., :1]
    if kind == 'nearly grey':
        pixels[7, 5, 2] ^= 1
    Image.fromarray(pixels).save(tmp_path / 'x.png')
    image = LoadReIDImage((90, 45), 'pillow', name)({'img_path': str(tmp_path / 'x.png')})['img']
    reference = Image.fromarray(pixels).resize((45, 90), getattr(Image.Resampling, name.upper()))
    assert np.array_equal(image, np.asarray(reference)[..., ::-1])
    image[:] = 0  # a pipeline may write into it


def test_an_image_that_is_there_is_taken(picture):
    _, pixels = picture
    load = LoadReIDImage((40, 30))
    assert load({'img': pixels, 'img_path': 'no such file'})['img'] is pixels


@pytest.mark.parametrize('shape', [(40, 30), (40, 30, 1)])
def test_grey_becomes_three_equal_channels(shape):
    grey = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    image = LoadReIDImage((40, 30))({'img': grey})['img']
    assert np.array_equal(image, np.repeat(grey.reshape(40, 30, 1), 3, axis=2))


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize('content', [b'', b'not an image', b'\x89PNG\r\n\x1a\nbroken', None])
def test_unreadable_files_are_named(tmp_path, backend, content):
    path = tmp_path / 'x.png'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=rf'cannot read {path}.*check_dataset'):
        LoadReIDImage((4, 4), backend)({'img_path': str(path)})


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((4, 4, 3)),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((4, 4), int),
        np.zeros((0, 4), np.uint8),
    ],
)
def test_arrays_of_another_kind(image):
    with pytest.raises(ValueError, match=r'LoadReIDImage: `img` is .* expected uint8'):
        LoadReIDImage((4, 4))({'img': image})


@pytest.mark.parametrize(
    ('arguments', 'name'),
    [
        ({'size': (4, 0)}, 'size'),
        ({'size': (4,)}, 'size'),
        ({'size': (4, 4), 'backend': 'turbo'}, 'backend'),
        ({'size': (4, 4), 'interpolation': 'sinc'}, 'interpolation'),
    ],
)
def test_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f'LoadReIDImage: `{name}` is'):
        LoadReIDImage(**arguments)
