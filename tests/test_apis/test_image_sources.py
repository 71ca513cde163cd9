from pathlib import Path

import numpy as np
import pytest

from mmvireid.apis.image_sources import list_rows


@pytest.fixture
def table(tmp_path):
    def write(*lines, header='path,modality,person_id,camera_id'):
        path = tmp_path / 'pictures.csv'
        path.write_text('\n'.join([header, *lines]))
        return path

    return write


def test_a_table_tells_what_it_knows(table, tmp_path):
    path = table('b/1.png,infrared,7,2', 'a.png,visible,,')
    rows = list_rows(path, 'infrared', camera_id=5)
    assert rows == [
        dict(img_path=str(tmp_path / 'b/1.png'), name='b/1.png', modality='infrared',
             person_id=7, camera_id=2),
        dict(img_path=str(tmp_path / 'a.png'), name='a.png', modality='visible',
             person_id=-1, camera_id=5),
    ]  # fmt: skip


def test_a_split_of_a_table(table):
    header = 'path,modality,split'
    path = table('a.png,visible,train', 'b.png,infrared,test', header=header)
    assert [row['name'] for row in list_rows(path, split='test')] == ['b.png']
    assert [row['name'] for row in list_rows(path)] == ['a.png', 'b.png']
    with pytest.raises(ValueError, match='lacks the columns split'):
        list_rows(table('a.png,visible', header='path,modality'), split='test')


def test_names_are_whole_paths_where_there_are_several_inputs(table, tmp_path):
    path = table('a.png,visible,1,1')
    rows = list_rows([path, tmp_path / 'x.jpg', np.zeros((2, 2), np.uint8)], 'infrared')
    assert [row['name'] for row in rows] == [
        (tmp_path / 'a.png').as_posix(), (tmp_path / 'x.jpg').as_posix(), 'array/000002'
    ]  # fmt: skip
    assert [row['modality'] for row in rows] == ['visible', 'infrared', 'infrared']
    assert rows[2]['img'].shape == (2, 2, 3)


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('a.png,thermal,1,1', "`modality` of 1 of 1 rows is not one of .*'thermal'"),
        ('a.png,visible,one,1', "`person_id` of 1 of 1 rows is not a whole number.*: 'one'"),
        ('a.png,visible,1,1.5', "`camera_id` of 1 of 1 rows is not a whole number.*: '1.5'"),
        ('../a.png,visible,1,1', r"line 2 \('../a.png'\): expected paths .* below"),
    ],
)
def test_wrong_lines_are_named(line, message, table):
    with pytest.raises(ValueError, match=message):
        list_rows(table(line))


def test_other_kinds_are_refused(tmp_path):
    with pytest.raises(TypeError, match=r'`inputs\[1\]` is a int'):
        list_rows(['a.png', 3], 'visible')
    with pytest.raises(FileNotFoundError, match=r'none\.csv'):
        list_rows('none.csv')
    with pytest.raises(ValueError, match='`inputs` has no image'):
        list_rows(Path(tmp_path), 'visible')
    with pytest.raises(ValueError, match=r'`inputs\[0\]` is a float64 array'):
        list_rows([np.zeros((2, 2))], 'visible')
