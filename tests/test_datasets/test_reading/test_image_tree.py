"""Stray files, files of other systems, and problems that are collected instead of raised."""

import os

import pytest

from mmvireid.datasets import ImageTree
from mmvireid.datasets.reading.image_tree import brief_list


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'folder').mkdir()
    for name in ('0010.JPG', '0002.jpg', 'b.png', '.hidden', '.DS_Store', 'Thumbs.db'):
        (tmp_path / 'folder' / name).write_bytes(b'x')
    return tmp_path


def test_images_are_sorted_and_junk_is_skipped(root):
    assert ImageTree(root).images('folder') == [
        'folder/0002.jpg',
        'folder/0010.JPG',
        'folder/b.png',
    ]


@pytest.mark.parametrize('stray', ['notes.txt', 'archive.jpg.zip', 'folder.jpg/'])
def test_strays_stop_the_listing(root, stray):
    path = root / 'folder' / stray
    path.mkdir() if stray.endswith('/') else path.write_bytes(b'x')
    with pytest.raises(ValueError, match=rf'Unexpected .*folder/{stray.rstrip("/")}'):
        ImageTree(root).images('folder')


def test_problems_are_collected_and_reading_goes_on(root):
    (root / 'folder' / 'notes.txt').write_bytes(b'x')
    (root / 'index.txt').write_text('folder/b.png 3\nnonsense\n\nfolder/none.png 1\n')
    problems = []
    tree = ImageTree(root, problems.append)
    assert len(tree.images('folder')) == 3
    assert tree.read_index('index.txt') == [('folder/b.png', 3)]
    assert tree.read_ids('absent.txt') == []
    assert tree.require_folders(['folder', 'gone']) == ['folder']
    kinds = [ValueError, ValueError, *[FileNotFoundError] * 3]
    assert len(problems) == len(kinds) and all(map(isinstance, problems, kinds))
    assert "line 2 ('nonsense')" in str(problems[1])


def test_long_lists_are_cut():
    assert brief_list([1, 2, 3, 4, 5]) == '1, 2, 3, 4, 5'
    assert brief_list([*range(9)]) == '0, 1, 2, 3, 4 and 4 more'
    assert brief_list(['a\ufeff.jpg', 'é 行.jpg']) == r"'a\ufeff.jpg', é 行.jpg"  # a mark is seen


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
def test_index_files_from_windows(root, encoding):
    """With a byte-order mark, backslashes, and the line ends of that system."""
    (root / 'folder/person 1').mkdir()
    (root / 'folder/person 1/x.png').touch()
    text = 'folder\\b.png 3\r\nfolder\\person 1\\x.png\t4\r\n'
    (root / 'index.txt').write_bytes(text.encode(encoding))
    (root / 'ids.txt').write_bytes('3, 1,\r\n2\r\n'.encode(encoding))
    tree = ImageTree(root)
    assert tree.read_index('index.txt') == [('folder/b.png', 3), ('folder/person 1/x.png', 4)]
    assert tree.read_ids('ids.txt') == [1, 2, 3]


def test_an_index_file_in_an_unknown_encoding_is_one_problem_of_the_list(root):
    (root / 'index.txt').write_bytes(b'folder/b.png 3\n\xd0\xd0.png 1\n')
    problems = []
    assert ImageTree(root, problems.append).read_index('index.txt') == []
    assert len(problems) == 1 and 'index.txt, line 2' in str(problems[0])
    with pytest.raises(ValueError, match='index.txt, line 2: the bytes d0 d0'):
        ImageTree(root).read_index('index.txt')


def test_names_that_are_no_text_are_shown_in_ascii(root):
    name = os.fsencode(root / 'folder') + b'/\xd0\xd0.jpg'
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
    with pytest.raises(ValueError, match=r"not UTF-8: 'folder/\\udcd0\\udcd0.jpg'. Rename") as stop:
        ImageTree(root).images('folder')
    assert str(stop.value).isascii()
