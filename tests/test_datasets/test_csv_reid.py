from pathlib import Path

import pytest

from mmvireid.datasets import CSVReID

HEADER = 'path,person_id,camera_id,modality,split'


def rows_of(dataset):
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def test_the_table_holds_the_rendered_people(rendered):
    root = rendered('table')
    sets = {split: CSVReID(root, split) for split in ('train', 'test')}
    counts = {split: dataset.metainfo['num_ids'] for split, dataset in sets.items()}
    assert counts == dict(train=12, test=8)
    rows = [row for dataset in sets.values() for row in rows_of(dataset)]
    assert {row['img_path'] for row in rows} == {str(p) for p in Path(root).glob('cam*/*/*.jpg')}
    for row in rows:
        camera, person, _ = Path(row['img_path']).parts[-3:]
        assert (row['camera_id'], row['person_id']) == (int(camera[3:]), int(person))
        assert row['modality'] == ('infrared' if camera in ('cam3', 'cam6') else 'visible')
        assert row['room'] == dict(cam2='lab', cam3='lab', cam6='yard').get(camera, '')
    with pytest.raises(ValueError, match="no image of split 'val' is left"):
        len(CSVReID(root, 'val'))


@pytest.fixture
def table(tmp_path):
    """``table('a.jpg,1,1,visible,train', ...)`` writes lines; the images are there."""

    def write(*lines, name='images.csv'):
        for line in lines:
            (tmp_path / line.split(',')[0]).write_bytes(b'never read')
        (tmp_path / name).write_text('\n'.join([HEADER, *lines]))
        return str(tmp_path)

    return write


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('a.jpg,1,1,thermal,train', "`modality` of 1 of 1 rows is not one of .* 'thermal'"),
        ('a.jpg,one,1,visible,train', "`person_id` of 1 of 1 rows is not a whole number.*: 'one'"),
        ('b.jpg,1,1,visible,train', '1 of 1 images do not exist'),
        ('a.jpg,1,1,visible,trian', "`split` in .* is also .'trian'."),
        ('a.jpg,1', r'line 2 \(2 values\)'),
        ('../a.jpg,1,1,visible,train', 'expected paths of images below the table'),
    ],
)
def test_mistakes_in_the_table_are_named(line, message, table):
    root = table('a.jpg,1,1,visible,train')
    Path(root, 'images.csv').write_text(f'{HEADER}\n{line}')
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        CSVReID(root, 'train')


def test_a_missing_table_is_named(table):
    root = table('a.jpg,1,1,visible,train', 'b.jpg,1,1,infrared,train', name='mine.csv')
    assert len(CSVReID(root, 'train', table='mine.csv')) == 2
    with pytest.raises(FileNotFoundError, match=r'images\.csv does not exist.*make_table\.py'):
        CSVReID(root, 'train')


def test_people_in_two_splits_are_not_tested_by_mistake(table):
    root = table(
        'a.jpg,1,1,visible,train', 'b.jpg,1,1,infrared,train', 'c.jpg,1,2,visible,test',
        'd.jpg,2,1,infrared,test',
    )  # fmt: skip
    with pytest.raises(ValueError, match=r'1 people .* in two splits: 1 \(test and train\)'):
        CSVReID(root, 'test')
    assert len(CSVReID(root, 'test', trained_elsewhere=True)) == len(CSVReID(root, 'train')) == 2
