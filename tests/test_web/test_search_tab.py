import csv
from dataclasses import replace
from io import StringIO
from types import SimpleNamespace

import pytest

from mmvireid.search import Match
from mmvireid.web import Searcher
from mmvireid.web.search_tab import Found, tiles

NO_FILTER = dict(
    modality='infrared', k=5, min_similarity=-1, cameras=[], modalities=[], after='', before=''
)


def path_of(world, name):
    return world.folder / 'data' / name


def test_a_picture_finds_its_person(world, searcher, upload):
    found = searcher.search(upload(path_of(world, 'cam3/0004/0001.png')), **NO_FILTER)
    assert (found.query, found.modality, len(found.matches)) == ('0001.png', 'infrared', 5)
    assert [match.person_id for match in found.matches[:3]] == [4, 4, 4]
    assert searcher.cameras == [1, 2, 4, 5] and searcher.info['pictures'] == 32


@pytest.mark.parametrize(
    ('filters', 'count'),
    [
        (dict(k=100), 32),
        (dict(k=100, cameras=[2]), 8),
        (dict(k=100, modalities=['infrared']), 0),
        (dict(k=100, min_similarity=0.999), 1),
        (dict(k=100, before='1999-01-01'), 0),
        (dict(k=100, after=' 1999-01-01 '), 32),
    ],
)
def test_filters(world, searcher, upload, filters, count):
    asked = upload(path_of(world, 'cam1/0004/0001.png'))
    assert len(searcher.search(asked, **(NO_FILTER | filters)).matches) == count


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (dict(k=0), 'Matches are 0'),
        (dict(k=101), 'Matches are 101'),
        (dict(k='5'), "Matches are '5'"),
        (dict(modality='thermal'), '`modality` is .thermal'),
        (dict(cameras=['1']), '`cameras` has'),
        (dict(modalities=['visible" or 1']), '`modalities` has'),
        (dict(after='1; drop'), 'expected a date'),
        (dict(upload=dict(name='/etc/passwd')), 'Choose a picture'),
    ],
)
def test_what_the_page_may_not_ask(world, searcher, upload, wrong, message):
    asked = dict(upload=upload(path_of(world, 'cam1/0004/0001.png')))
    with pytest.raises(ValueError, match=message):
        searcher.search(**(asked | NO_FILTER | wrong))


MATCHES = [Match(f'/a/"b",<i>/{at}.png', 0.5, 3, 'infrared', 0, 7, '') for at in range(3)]
FOUND = Found('=1+1', 'visible', MATCHES)


def test_marks_become_a_table():
    rows = list(csv.DictReader(StringIO(FOUND.to_csv(['right', '', 'wrong']))))
    assert [(row['rank'], row['mark']) for row in rows] == [('1', 'right'), ('3', 'wrong')]
    assert rows[0]['picture'] == MATCHES[0].name and rows[0]['query'] == "'=1+1"
    assert rows[1] == dict(
        query="'=1+1", query_modality='visible', rank='3', picture=MATCHES[2].name,
        similarity='0.500000', camera_id='3', modality='infrared', time='1970-01-01 00:00:00',
        mark='wrong',
    )  # fmt: skip


@pytest.mark.parametrize(
    ('marks', 'message'),
    [(['right'], 'of another search'), ('right', 'of another'), (['<b>', '', ''], "'<b>'")],
)
def test_other_marks_are_refused(marks, message):
    with pytest.raises(ValueError, match=message):
        FOUND.to_csv(marks)


def test_tiles_tell_what_is_known(searcher):
    unknown = replace(MATCHES[0], camera_id=-1, time=-1)
    first, second = tiles(Found('a', 'visible', [unknown, MATCHES[1]]))
    assert (first['where'], first['when']) == ('camera ?, infrared', 'time unknown')
    assert (second['where'], second['when']) == ('camera 3, infrared', '1970-01-01 00:00:00')
    assert first['short'] == '"b",<i>/0.png'.join(['a/', '']) and second['rank'] == '2'


def test_a_gallery_of_another_model_is_refused(searcher):
    other = SimpleNamespace(source=dict(checksum='0' * 64))
    with pytest.raises(ValueError, match='`gallery` is of colors .*expected one of the same model'):
        Searcher(searcher.gallery, other)
