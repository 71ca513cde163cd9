import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmvireid.apis import ReIDInferencer, galleries, init_model
from mmvireid.search import Gallery

pytest.importorskip('pymilvus')
pytest.importorskip('milvus_lite')

CONFIG = str(Path(__file__).parents[2] / 'configs/agw/agw_synthetic.py')


@pytest.fixture
def inferencer(color_inferencer):
    return color_inferencer()


@pytest.fixture
def crops(tmp_path):
    """Ten pictures in a folder, and three that cannot be read."""
    rng = np.random.default_rng(0)
    folder = tmp_path / 'crops'
    folder.mkdir()
    for at in range(10):
        pixels = rng.integers(0, 256, (40, 20, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f'{at}.png'), pixels)
        os.utime(folder / f'{at}.png', (1000 + at, 1000 + at))
    for at in (2, 5, 8):
        (folder / f'{at}_broken.jpg').write_bytes(b'\xff\xd8' * (at - 2))
    return folder


def test_pictures_are_added_once_and_broken_ones_named(inferencer, crops, tmp_path, monkeypatch):
    monkeypatch.setattr(galleries, 'PORTION', 4)
    address = str(tmp_path / 'gallery.db')
    with galleries.open_gallery(address, inferencer) as gallery:
        first = galleries.add_pictures(gallery, inferencer, crops, 'visible', 3)
        again = galleries.add_pictures(gallery, inferencer, crops, 'visible')
        assert (first.new, first.there, len(first.unreadable)) == (10, 0, 3)
        assert (again.new, again.there, again.unreadable) == (0, 10, first.unreadable)
        assert sorted(map(os.path.basename, first.unreadable)) == [
            '2_broken.jpg', '5_broken.jpg', '8_broken.jpg'
        ]  # fmt: skip
        features = galleries.query_features(inferencer, crops / '6.png', 'visible')
        match = gallery.search(features.features, 1)[0][0]
        assert match.name == str(features.names[0]) == (crops / '6.png').resolve().as_posix()
        assert (match.camera_id, match.modality, match.time) == (3, 'visible', 1006)
        assert match.similarity == pytest.approx(1, abs=1e-6)
        assert gallery.model == 'colors'
        # a file that has become another picture is extracted again
        shutil.copy(crops / '0.png', crops / '6.png')
        changed = galleries.add_pictures(gallery, inferencer, crops, 'visible')
        assert (changed.new, changed.there, len(gallery)) == (1, 9, 10)
        with pytest.raises(ValueError, match='2_broken.jpg'):
            galleries.add_pictures(gallery, inferencer, crops, 'visible', stop_at_unreadable=True)
        with pytest.raises(ValueError, match='has arrays'):
            galleries.add_pictures(gallery, inferencer, np.zeros((9, 9, 3), np.uint8), 'visible')


def test_pictures_of_which_none_can_be_read_are_refused(inferencer, crops, tmp_path):
    with galleries.open_gallery(str(tmp_path / 'gallery.db'), inferencer) as gallery:
        wrong = [crops / '5_broken.jpg', crops / 'nowhere.jpg']
        with pytest.raises(ValueError, match='none of the 2 pictures can be read; .*nowhere.jpg'):
            galleries.add_pictures(gallery, inferencer, wrong, 'visible')
        with pytest.raises(ValueError, match='`num_workers` is -1, expected at least 0'):
            galleries.add_pictures(gallery, inferencer, crops, 'visible', num_workers=-1)
        assert len(gallery) == 0


def test_features_are_those_of_the_inferencer(shrink, crops):
    torch.manual_seed(0)
    inferencer = ReIDInferencer(init_model(shrink(CONFIG)))
    files = [crops / '1.png', crops / '4.png']
    inferencer.model.flip_test = True
    asked = galleries.query_features(inferencer, files, 'infrared')
    plain = inferencer(files, 'infrared')
    both = plain.features + plain.flip_features
    unit = both / np.linalg.norm(both, axis=1, keepdims=True)
    assert np.abs(asked.features - unit).max() < 1e-6 and asked.flip_features is None

    rows = galleries.split_rows(inferencer, 'test')
    visible = galleries.split_rows(inferencer, 'test', 'visible')
    assert visible == [row for row in rows if row['camera_id'] in (1, 2, 4, 5)]
    assert 0 < len(visible) < len(rows) and cv2.imread(visible[0]['img_path']) is not None


def test_a_table_tells_who_where_and_when(inferencer, crops, tmp_path):
    (crops / 'table.csv').write_text(
        'path,modality,person_id,camera_id,time\n'
        '0.png,infrared,7,6,2026-01-31T10:00:00\n1.png,visible,8,1,\n'
    )
    with galleries.open_gallery(str(tmp_path / 'gallery.db'), inferencer) as gallery:
        galleries.add_pictures(gallery, inferencer, crops / 'table.csv')
        found = gallery.search(np.ones((1, gallery.size)), 5, modalities=['infrared'])[0]
        assert [(m.person_id, m.camera_id) for m in found] == [(7, 6)]
        assert galleries.write_time(found[0].time) == '2026-01-31 10:00:00'
        found = gallery.search(np.ones((1, gallery.size)), 5, cameras=[1])[0]
        assert [(m.person_id, m.time) for m in found] == [(8, 1001)]
    (crops / 'table.csv').write_text('path,modality,time\n2.png,visible,\n3.png,visible,noon\n')
    with Gallery(str(tmp_path / 'gallery.db')) as gallery:
        with pytest.raises(ValueError, match="add_pictures: 3.png: .*'noon', expected a date"):
            galleries.add_pictures(gallery, inferencer, crops / 'table.csv')
        assert len(gallery) == 2


def test_any_name_of_a_file_is_no_reason_to_stop(inferencer, crops, tmp_path):
    shutil.copy(crops / '0.png', os.fsencode(crops) + b'/\xff.png')
    shutil.copy(crops / '1.png', crops / 'a"] or 1==1\n\x1b[31m<b>é.png')
    with galleries.open_gallery(str(tmp_path / 'gallery.db'), inferencer) as gallery:
        added = galleries.add_pictures(gallery, inferencer, crops, 'visible')
        assert (added.new, len(added.unreadable), len(gallery)) == (11, 4, 11)
        named = [reason for reason in added.unreadable.values() if 'no text in UTF-8' in reason]
        assert len(named) == 1 and named[0].isascii() and '\\udcff.png' in named[0]
    assert len(inferencer(crops, 'visible', on_unreadable='skip')) == 12


def test_only_the_picture_that_was_added_is_shown(crops, tmp_path):
    picture, secret = crops / '0.png', tmp_path / 'secret.png'
    cv2.imwrite(str(secret), np.zeros((4, 4, 3), np.uint8))
    digest = galleries.file_digest(picture.read_bytes())

    def shown(name, digest=digest):
        return galleries.read_picture(galleries.Match(str(name), 1.0, 1, 'visible', 0, -1, digest))

    assert np.array_equal(shown(picture), cv2.imread(str(picture)))
    others = [secret, crops / '..' / 'secret.png', crops, '/etc/passwd', 'a\0b', crops / 'none']
    assert all(shown(name) is None for name in others)
    assert shown(picture, '') is None
    picture.unlink()
    picture.symlink_to(secret)
    assert shown(picture) is None
    text = tmp_path / 'text.png'
    text.write_text('no picture')
    assert shown(text, galleries.file_digest(b'no picture')) is None


def test_names_move_no_terminal():
    assert galleries.one_line('a\nb\x1b[31m写 \udcff.jpg') == 'a\\nb\\x1b[31m写 \\udcff.jpg'
    assert [*galleries.describe_unreadable({'a': 'a\nb'})] == ['left out: a\\nb']


def test_long_lists_of_broken_pictures_are_cut():
    lines = [*galleries.describe_unreadable({f'{at}.jpg': f'no {at}' for at in range(12)})]
    assert len(lines) == 11 and lines[0] == 'left out: no 0' and lines[-1].endswith(' 2 more')
