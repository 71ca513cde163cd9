import base64
import zlib

import numpy as np
import pytest
from PIL import Image

from mmvireid.web import pictures
from mmvireid.web.pictures import read_upload


def sent(data: bytes, name='a.png') -> dict:
    return dict(name=name, data=f'data:image/png;base64,{base64.b64encode(data).decode()}')


@pytest.mark.parametrize('mode', ['RGB', 'L', 'RGBA', 'P', 'I;16', '1'])
def test_every_kind_of_picture_arrives(mode, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257 if mode == 'I;16' else pixels)
    (image if mode == 'I;16' else image.convert(mode)).save(tmp_path / 'a.png')
    name, picture = read_upload(sent((tmp_path / 'a.png').read_bytes(), r'C:\x\..\b.png'))
    assert name == 'b.png' and picture.shape == (9, 7, 3) and picture.dtype == np.uint8
    if mode == 'RGB':
        assert np.array_equal(picture, pixels[..., ::-1])


def bomb() -> bytes:
    """A PNG of a few kilobytes that says that it has 10^10 pixels."""
    header = (10**5).to_bytes(4, 'big') * 2 + bytes([8, 0, 0, 0, 0])
    chunks = b''
    for kind, data in ((b'IHDR', header), (b'IDAT', zlib.compress(bytes(10**6))), (b'IEND', b'')):
        chunks += len(data).to_bytes(4, 'big') + kind + data
        chunks += zlib.crc32(kind + data).to_bytes(4, 'big')
    return b'\x89PNG\r\n\x1a\n' + chunks


@pytest.mark.parametrize(
    ('upload', 'message'),
    [
        (None, 'Choose a picture first'),
        ('data:image/png;base64,AAAA', 'Choose a picture first'),
        (dict(name='a.png'), 'Choose a picture first'),
        (dict(path='/etc/passwd', data=7), 'Choose a picture first'),
        (dict(data='/etc/passwd'), 'not arrive as a browser'),
        (dict(data='file:///etc/passwd'), 'not arrive as a browser'),
        (dict(data='http://127.0.0.1/a.png'), 'not arrive as a browser'),
        (dict(data='data:image/png;base64,a b'), 'not arrive whole'),
        (sent(b''), 'cannot be read'),
        (sent(b'<svg onload="alert(1)"/>'), 'cannot be read'),
        (sent(b'%!PS (an EPS would start another program)'), 'cannot be read'),
        (sent(bomb()), 'pixels|cannot be read'),
    ],
)
def test_what_is_no_picture_is_refused(upload, message):
    with pytest.raises(ValueError, match=message):
        read_upload(upload)


def test_large_ones_are_refused_before_they_are_decoded(monkeypatch, tmp_path):
    monkeypatch.setattr(pictures, 'decode_image', lambda *_: pytest.fail('it was decoded'))
    monkeypatch.setattr(pictures, 'MAX_BYTES', 2**20)
    with pytest.raises(ValueError, match='larger than 1 MB'):
        read_upload(sent(bytes(2**20 + 10)))
