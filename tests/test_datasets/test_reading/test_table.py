import pytest

from mmvireid.datasets.reading.table import read_table

HEADER = 'path,person_id,camera_id,modality,split'


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
def test_lines_are_read_whatever_wrote_them(encoding, tmp_path):
    path = tmp_path / 'images.csv'
    text = f'{HEADER},room\r\n"a, b\\1.jpg", 06 ,-1,visible,train,lobby\r\n\r\n'
    path.write_bytes(text.encode(encoding))
    assert read_table(path) == [
        dict(path='a, b/1.jpg', person_id=6, camera_id=-1, modality='visible', split='train',
             room='lobby')
    ]  # fmt: skip


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'lacks the columns path, person_id'),
        ('path,person_id,modality,split', 'lacks the columns camera_id, expected'),
        (f'{HEADER},colour', 'also has the columns colour'),
        (f'{HEADER},path', 'has twice the columns path'),
        (HEADER.replace(',', ';'), 'lacks the columns path'),
        (f'{HEADER}\na.jpg,1,1,visible', r'line 2 \(4 values\): expected 5 values'),
        (f'{HEADER}\na.jpg,1,1,visible,test\n/b.jpg,1,1,visible,test', r"line 3 \('/b.jpg'\)"),
        (f'{HEADER}\nC:\\b.jpg,1,1,visible,test', r"line 2 \('C:/b.jpg'\)"),
        (f'{HEADER}\nx/../../b.jpg,1,1,visible,test', 'below the table'),
        (f'{HEADER}\n,1,1,visible,test', r"line 2 \(''\)"),
        (f'{HEADER}\n"a\nb",1,1,visible,test\n/c,1,1,visible,test', r"line 4 \('/c'\)"),
        (f'{HEADER}\na,1,1,visible,test\n"{"a" * 2**18}', 'line 3: field larger.*quote open'),
    ],
)
def test_what_is_wrong_is_named(text, message, tmp_path):
    path = tmp_path / 'images.csv'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_table(path)


def test_a_table_may_need_less(tmp_path):
    path = tmp_path / 'images.csv'
    path.write_text('modality,path\ninfrared,a.jpg')
    assert read_table(path, required=('path', 'modality')) == [
        dict(modality='infrared', path='a.jpg')
    ]


@pytest.mark.parametrize('name', ['a\nb.jpg', 'a\u2028b.jpg', 'a\x0cb.jpg', 'é写.jpg', "' or 1==1"])
def test_paths_are_what_is_written(name, tmp_path):
    path = tmp_path / 'images.csv'
    path.write_text(f'path,modality\n"{name}",visible\n', 'utf-8')
    assert read_table(path, required=('path', 'modality')) == [dict(path=name, modality='visible')]


@pytest.mark.parametrize('number', ['9' * 19, '9' * 5000, '--1', '-', '1.0', '²'])
def test_what_is_no_number_of_a_person_is_left_for_the_check_of_rows(number, tmp_path):
    path = tmp_path / 'images.csv'
    path.write_text(f'{HEADER}\na.jpg,{number},1,visible,test\n', 'utf-8')
    assert read_table(path)[0]['person_id'] == number
