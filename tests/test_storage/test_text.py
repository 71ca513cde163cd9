"""Text files as editors of other systems save them."""

import codecs

import pytest

from mmvireid.storage import read_text

TEXT = 'Visible/行人/1.jpg 0\nVisible/2.jpg 1\n'


@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'utf-32'])
def test_what_a_mark_names_is_read(tmp_path, encoding, end):
    (tmp_path / 'x.txt').write_bytes(TEXT.replace('\n', end).encode(encoding))
    assert read_text(tmp_path / 'x.txt') == TEXT


def test_both_byte_orders_and_marks_in_the_middle(tmp_path):
    path = tmp_path / 'x.txt'
    path.write_bytes(codecs.BOM_UTF16_BE + TEXT.encode('utf-16-be'))
    assert read_text(path) == TEXT
    path.write_bytes(TEXT.encode('utf-8-sig') * 2)  # two files joined
    assert read_text(path) == TEXT * 2


@pytest.mark.parametrize(
    ('content', 'line', 'message'),
    [
        ('行人/1.jpg 0'.encode('gbk'), 1, 'the bytes d0 d0 c8 cb are not UTF-8'),
        (b'a.jpg 0\r\nb.jpg 1\r\n\xd0\xd0/c.jpg 2\n', 3, 'the bytes d0 d0 2f 63 are not UTF-8'),
        (b'a.jpg 0\ncaf\xe9.jpg 1\n', 2, 'the bytes e9 2e 6a 70 are not UTF-8'),
        (b'\xef\xbb\xbfa.jpg 0\n\xff', 2, 'the bytes ff are not UTF-8'),
        (TEXT.encode('utf-16')[:-1], 2, 'the bytes 0a are not UTF-16'),
        (b'a 0\n' + 'b 1\n'.encode('utf-16-le'), 2, 'there is a zero byte, as in UTF-16'),
    ],
)
def test_other_encodings_are_refused_by_file_and_line(tmp_path, content, line, message):
    (tmp_path / 'x.txt').write_bytes(content)
    with pytest.raises(ValueError, match=f'read_text: {tmp_path}/x.txt, line {line}: {message}'):
        read_text(tmp_path / 'x.txt')


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.txt cannot be read'):
        read_text(tmp_path / 'none.txt')
