"""RegDB's index files."""

import pytest

from mmvireid.datasets import RegDB

LISTS = {
    'train_visible_2': [('Visible/4/a 1.png', 1), ('Visible/3/b.png', 0)],
    'train_thermal_2': [('Thermal/3/c.png', 0), ('Thermal/4/d.png', 1)],
    'test_visible_2': [('Visible/9/e.png', 7)],
    'test_thermal_2': [('Thermal/9/f.png', 7)],
    'train_visible_10': [('Visible/9/e.png', 0)],
    'train_thermal_10': [('Thermal/9/f.png', 0)],
}


@pytest.fixture
def root(tmp_path, write_image):
    (tmp_path / 'idx').mkdir()
    for file, pairs in LISTS.items():
        text = ''.join(f'{name} {label}\n' for name, label in pairs)
        (tmp_path / 'idx' / f'{file}.txt').write_text(text)
        for name, _ in pairs:
            write_image(tmp_path / name)
    return tmp_path


def rows_of(dataset):
    keys = ('name', 'person_id', 'camera_id', 'modality', 'gt_label')
    rows = [dataset.get_data_info(index) for index in range(len(dataset))]
    return [tuple(row[key] for key in keys) for row in rows]


def test_a_trial_has_its_own_identities(root):
    dataset = RegDB(root, 'train', trial=2)
    assert rows_of(dataset) == [
        ('Thermal/3/c.png', 0, 2, 'infrared', 0),
        ('Thermal/4/d.png', 1, 2, 'infrared', 1),
        ('Visible/3/b.png', 0, 1, 'visible', 0),
        ('Visible/4/a 1.png', 1, 1, 'visible', 1),
    ]
    assert dataset.metainfo == {
        'dataset': 'regdb',
        'protocol': 'regdb',
        'split': 'train',
        'num_ids': 2,
        'trial': 2,
    }
    assert rows_of(RegDB(root, 'train', trial=10)) == [
        ('Thermal/9/f.png', 0, 2, 'infrared', 0),
        ('Visible/9/e.png', 0, 1, 'visible', 0),
    ]
    assert rows_of(RegDB(root, 'test', trial=2)) == [
        ('Thermal/9/f.png', 7, 2, 'infrared', -1),
        ('Visible/9/e.png', 7, 1, 'visible', -1),
    ]


@pytest.mark.parametrize('trial', [0, 11, '1'])
def test_trial_out_of_range(root, trial):
    with pytest.raises(ValueError, match=r'RegDB: `trial` is .* expected a number from 1 to 10'):
        RegDB(root, 'train', trial=trial)


def test_missing_trial(root):
    with pytest.raises(FileNotFoundError, match=r'Missing index file .*train_visible_3\.txt'):
        RegDB(root, 'train', trial=3)


def test_missing_image(root):
    (root / 'Thermal/4/d.png').unlink()
    message = r'train_thermal_2\.txt lists 2 images, of which 1 do not exist.*: Thermal/4/d\.png'
    with pytest.raises(FileNotFoundError, match=message):
        RegDB(root, 'train', trial=2)


@pytest.mark.parametrize(
    'line',
    [
        'Visible/4/a.png',
        'Visible/4/a.png -1',
        'Visible/4/a.png one',
        '../Visible/3/b.png 0',
        '/Visible/3/b.png 0',
        'Visible/3/./b.png 0\nVisible/3/b.png 0',
    ],
)
def test_bad_lines(root, line):
    (root / 'idx' / 'train_visible_2.txt').write_text(line + '\n')
    with pytest.raises(ValueError, match=r'train_visible_2\.txt: line \d'):
        RegDB(root, 'train', trial=2)


def test_training_labels_with_a_gap(root):
    for file, name in [
        ('train_visible_2', 'Visible/4/a 1.png'),
        ('train_thermal_2', 'Thermal/4/d.png'),
    ]:
        with (root / 'idx' / f'{file}.txt').open('a') as index:
            index.write(name.replace('4', '9').replace('a 1', 'e').replace('d', 'f') + ' 5\n')
    with pytest.raises(ValueError, match='expected all of 0 to 5: 2, 3, 4 missing'):
        RegDB(root, 'train', trial=2)
