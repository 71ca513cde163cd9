"""The data checker, on small trees that are right or damaged."""

import cv2
import numpy as np
import pytest


@pytest.fixture(scope='module')
def main(load_tool):
    return load_tool('dataset_converters/check_dataset.py').main


def write_image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((8, 4, 3), 90, np.uint8))


@pytest.fixture
def sysu(tmp_path):
    for camera in range(1, 7):
        for person in range(1, 7):
            write_image(tmp_path / f'cam{camera}' / f'{person:04d}' / '0001.jpg')
    (tmp_path / 'exp').mkdir()
    for split, ids in [('train', '1,2,3'), ('val', '4'), ('test', '5,6')]:
        (tmp_path / 'exp' / f'{split}_id.txt').write_text(ids)
    return tmp_path


@pytest.fixture
def regdb(tmp_path):
    (tmp_path / 'idx').mkdir()
    for trial in range(1, 11):
        for split, person in [('train', trial), ('test', trial + 1)]:
            for word in ('visible', 'thermal'):
                name = f'{word}/{person}.png'
                write_image(tmp_path / name)
                (tmp_path / 'idx' / f'{split}_{word}_{trial}.txt').write_text(f'{name} 0\n')
    return tmp_path


def test_a_sound_tree(main, sysu, capsys):
    assert main(['sysu', str(sysu), '--counts', 'any']) == 0
    output = capsys.readouterr().out
    assert [line.split() for line in output.splitlines() if line.startswith('train ')] == [
        ['train', '3', '12', '6']
    ]
    assert '3 infrared 2; 4 visible 2' in output  # cameras of the test split
    assert 'Complete and right.' in output


def test_published_counts_are_compared(main, sysu, capsys):
    assert main(['sysu', str(sysu), '--no-decode']) == 1
    output = capsys.readouterr().out
    assert 'expected 296 20,284 9,929' in output
    assert '- trainval: 4 identities, 16 visible and 8 infrared images; published are 395' in output
    assert '- test: camera 6 has 2 images; published are 1,920.' in output


def test_every_problem_is_listed(main, sysu, capsys):
    (sysu / 'cam1' / '0001' / '0001.jpg').write_bytes(b'')
    (sysu / 'cam2' / '0001' / '0001.jpg').write_bytes(b'no picture')
    (sysu / 'cam3' / '0002' / '0001.jpg').unlink()
    (sysu / 'cam6' / '0002' / '0001.jpg').unlink()
    (sysu / 'cam4' / '0003' / 'notes.txt').write_text('stray')
    (sysu / 'exp' / 'val_id.txt').unlink()
    assert main(['sysu', str(sysu), '--counts', 'any']) == 1
    problems = [line for line in capsys.readouterr().out.splitlines() if line.startswith('- ')]
    for part in (
        'cam1/0001/0001.jpg',
        'cam2/0001/0001.jpg',
        'train: identities with images of one modality: 2 (visible only)',
        'cam4/0003/notes.txt',
        'Missing index file',
    ):
        assert sum(part in problem for problem in problems) == 1, part


def test_a_cut_jpeg_is_found(main, sysu, capsys):
    path = sysu / 'cam5' / '0005' / '0001.jpg'
    path.write_bytes(path.read_bytes()[:-20])
    assert main(['sysu', str(sysu), '--counts', 'any']) == 1
    assert 'cam5/0005/0001.jpg' in capsys.readouterr().out
    assert main(['sysu', str(sysu), '--counts', 'any', '--no-decode']) == 0


@pytest.mark.parametrize(('lowest', 'highest', 'code'), [(7000, 8500, 1), (7000, 60_000, 0)])
def test_16_bits_that_fill_little_of_their_range_are_found(
    main, sysu, capsys, lowest, highest, code
):
    path = sysu / 'cam3' / '0005' / '0001.png'
    values = np.linspace(lowest, highest, 32).astype(np.uint16).reshape(8, 4)
    assert cv2.imwrite(str(path), values)
    assert main(['sysu', str(sysu), '--counts', 'any']) == code
    found = f'{path} has 16 bits' in capsys.readouterr().out
    assert found == bool(code)


def test_training_images_in_the_test_split(main, sysu, capsys):
    (sysu / 'exp' / 'test_id.txt').write_text('3,5,6')
    assert main(['sysu', str(sysu), '--counts', 'any', '--no-decode']) == 1
    assert '6 images of train are in test too: cam1/0003/0001.jpg' in capsys.readouterr().out


def test_all_trials_of_regdb_or_one(main, regdb, capsys):
    assert main(['regdb', str(regdb), '--counts', 'any']) == 0
    (regdb / 'idx' / 'train_visible_7.txt').unlink()
    assert main(['regdb', str(regdb), '--counts', 'any', '--no-decode']) == 1
    assert 'train_visible_7.txt' in capsys.readouterr().out
    assert main(['regdb', str(regdb), '--counts', 'any', '--no-decode', '--trial', '6']) == 0


def test_llcm_lists_what_is_missing(main, tmp_path, capsys):
    assert main(['llcm', str(tmp_path), '--counts', 'any']) == 1
    output = capsys.readouterr().out
    for part in ('idx/train_vis.txt', 'idx/train_nir.txt', 'idx/test_id.txt', 'test_nir/cam1'):
        assert part in output


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['sysu', 'no/such/folder'], '`data_root` is'),
        (['regdb', '.', '--trial', '11'], '`trial` is 11'),
        (['llcm', '.', '--trial', '1'], '--trial is for regdb'),
    ],
)
def test_mistakes_on_the_command_line(main, arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


@pytest.fixture
def own(tmp_path):
    """``own(lines)`` writes a table, and pictures of random noise that it lists."""

    def write(lines):
        rng = np.random.default_rng(0)
        for line in lines:
            picture = rng.integers(0, 256, (8, 4, 3), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / line.split(',')[0]), picture)
        header = 'path,person_id,camera_id,modality,split'
        (tmp_path / 'mine.csv').write_text('\n'.join([header, *lines]))
        return ['csv', str(tmp_path), '--table', 'mine.csv']

    return write


SOUND = [
    f'{person}_{modality}.png,{person},{1 + person % 2},{modality},{split}'
    for person, split in ((1, 'train'), (2, 'train'), (3, 'test'))
    for modality in ('visible', 'infrared')
]


def test_a_sound_table(main, own, capsys):
    assert main(own(SOUND)) == 0
    output = capsys.readouterr().out
    counts = [line.split() for line in output.splitlines() if line[:5] in ('train', 'test ')]
    assert counts == [['train', '2', '2', '2'], ['test', '1', '1', '1']]
    assert 'cameras of train: 1 infrared 1; 1 visible 1; 2 infrared 1; 2 visible 1' in output
    assert 'expected' not in output


def test_every_problem_of_a_table_is_listed(main, own, tmp_path, capsys):
    arguments = own(
        [
            *SOUND,
            'a.png,1,1,visible,test',
            'b.png,4,1,visible,test',
            'c.png,five,1,visible,test',
            'd.png,5,1,thermal,train',
            'e.png,5,1,visible,trian',
            'f.png,2,1,visible,train',
            'g.png,2,1,visible,train',
            'h.png,2,1,visible,train',
            'h.png,2,1,visible,train',
        ]
    )
    (tmp_path / 'b.png').write_bytes((tmp_path / '1_visible.png').read_bytes())
    (tmp_path / '2_visible.png').write_bytes((tmp_path / '2_infrared.png').read_bytes())
    (tmp_path / 'f.png').unlink()
    (tmp_path / 'g.png').write_bytes(b'')
    assert main(arguments) == 1
    problems = [line for line in capsys.readouterr().out.splitlines() if line.startswith('- ')]
    parts = (
        "`person_id` of 1 of 5 rows is not a whole number of 64 bits: 'five' (c.png)",
        "`modality` of 1 of 9 rows is not one of ('visible', 'infrared'): 'thermal' (d.png)",
        '`split` in',
        '1 images stand in several rows: h.png',
        '1 of 7 images do not exist',
        'test: identities with images of one modality: 1 (visible only), 4 (visible only)',
        '1 people of',
        'cannot read',
        'several people: 1_visible.png (person 1), b.png (person 4)',
    )
    for part in parts:
        assert sum(part in problem for problem in problems) == 1, (part, problems)
    assert len(problems) == len(parts)


def test_a_table_without_images_is_a_problem(main, own, tmp_path, capsys):
    arguments = own([])
    assert main(arguments) == 1
    (tmp_path / 'mine.csv').write_text('path;person\n')
    assert main(arguments) == 1
    output = capsys.readouterr().out
    assert 'no image' in output
    assert 'lacks the columns path, person_id' in output
