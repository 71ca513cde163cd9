"""Stray files, and problems that are collected instead of raised."""

import pytest

from mmvireid.datasets import ImageTree
from mmvireid.datasets.image_tree import brief_list


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
    kinds = [type(problem) for problem in problems]
    assert kinds == [ValueError, ValueError, *[FileNotFoundError] * 3]
    assert "line 2 ('nonsense')" in str(problems[1])


def test_long_lists_are_cut():
    assert brief_list([1, 2, 3, 4, 5]) == '1, 2, 3, 4, 5'
    assert brief_list([*range(9)]) == '0, 1, 2, 3, 4 and 4 more'
