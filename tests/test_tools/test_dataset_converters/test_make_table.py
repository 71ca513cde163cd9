import csv
from pathlib import Path

import pytest

from mmvireid.datasets import CSVReID


@pytest.fixture(scope='module')
def main(load_tool):
    return load_tool('dataset_converters/make_table.py').main


@pytest.fixture
def folders(tmp_path):
    """``folders('train/visible/6_3_a.jpg', ...)`` makes files that nobody reads."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b'never read')
        return str(tmp_path)

    return make


def read(root, name='images.csv'):
    with Path(root, name).open(newline='') as file:
        return list(csv.reader(file))


def test_folders_become_a_table_that_is_read_back(main, folders, capsys):
    root = folders(
        'train/visible/0006_3_x.jpg', 'train/infrared/6_c12_1.png', 'test/visible/7_cam2.bmp',
        'val/infrared/0002_c1s1_000451_03.jpg', 'train/visible/.hidden', 'other/notes.txt',
    )  # fmt: skip
    main([root, '--rooms', '12=lab, east', '2=yard'])
    assert read(root) == [
        ['path', 'person_id', 'camera_id', 'modality', 'split', 'room'],
        ['test/visible/7_cam2.bmp', '7', '2', 'visible', 'test', 'yard'],
        ['train/infrared/6_c12_1.png', '6', '12', 'infrared', 'train', 'lab, east'],
        ['train/visible/0006_3_x.jpg', '6', '3', 'visible', 'train', ''],
        ['val/infrared/0002_c1s1_000451_03.jpg', '2', '1', 'infrared', 'val', ''],
    ]
    assert 'lists 4 images' in capsys.readouterr().out
    dataset = CSVReID(root, 'train')
    assert [dataset.get_data_info(i)['room'] for i in range(2)] == ['lab, east', '']


def test_the_layout_of_sysu_becomes_a_table(main, rendered, tmp_path):
    root = rendered('sysu')
    main([root, '--layout', 'sysu', '--table', f'{tmp_path.name}.csv'])
    lines = read(root, f'{tmp_path.name}.csv')[1:]
    assert sorted(line[0] for line in lines) == sorted(
        path.relative_to(root).as_posix() for path in Path(root).glob('cam*/*/*.jpg')
    )
    test_ids = {int(text) for text in Path(root, 'exp/test_id.txt').read_text().split(',')}
    for path, person, camera, modality, split in lines:
        assert path.startswith(f'cam{camera}/{int(person):04d}/')
        assert split == ('test' if int(person) in test_ids else 'train')
        assert modality == ('infrared' if camera in '36' else 'visible')


@pytest.mark.parametrize(
    ('names', 'arguments', 'message'),
    [
        (['train/visible/person_a.jpg'], [], '1 names do not say whom they show: train/visible/p'),
        (['train/visible/1_2/a.jpg'], [], 'Unexpected in an image folder'),
        (['visible/train/1_2.jpg'], [], 'has none of the folders train/visible, '),
        (['train/visible/1_2.jpg'], ['--rooms', '2:lab'], "--rooms has '2:lab'"),
        (['train/visible/1_2.jpg', 'images.csv'], [], 'exists, and may hold'),
        (['train/visible/1_2.jpg'], ['--table', '../images.csv'], 'expected a name: the table'),
        (['train/visible/1_2.jpg'], ['--layout', 'sysu'], 'Missing index file'),
    ],
)
def test_what_is_wrong_is_named(names, arguments, message, main, folders, capsys):
    with pytest.raises(SystemExit):
        main([folders(*names), *arguments])
    assert message in capsys.readouterr().err


def test_a_missing_folder_is_named(main, capsys):
    with pytest.raises(SystemExit):
        main(['no/such/folder'])
    assert 'no/such/folder is no folder' in capsys.readouterr().err
