"""LLCM's two layouts: index files for training, folders for testing."""

import shutil

import pytest

from mmvireid.datasets import LLCM
from mmvireid.datasets.llcm import camera_of

TRAIN = {
    'vis': ['vis/0003/0003_c01_s1_f2_vis.png', 'train/cam4/0009/x.png'],
    'nir': ['nir/0003/0003_c12_s1_f2_nir.png', 'nir/0009/y.png'],
}


@pytest.fixture
def root(tmp_path, write_image):
    root = tmp_path / 'cam5'  # a parent that looks like a camera
    (root / 'idx').mkdir(parents=True)
    for word, names in TRAIN.items():
        text = ''.join(f'{name} {label}\n' for label, name in enumerate(names))
        (root / 'idx' / f'train_{word}.txt').write_text(text)
        for name in names:
            write_image(root / name)
    (root / 'idx' / 'test_id.txt').write_text('20,4')
    for word in ('vis', 'nir'):
        for camera in set(range(1, 10)) - ({3} if word == 'nir' else set()):
            (root / f'test_{word}' / f'cam{camera}').mkdir(parents=True)
    for name in ('test_vis/cam3/0004', 'test_nir/cam9/0004', 'test_nir/cam1/0020'):
        write_image(root / name / '0001.png')
    return root


def rows_of(dataset):
    keys = ('name', 'person_id', 'camera_id', 'modality', 'gt_label')
    rows = [dataset.get_data_info(index) for index in range(len(dataset))]
    return [tuple(row[key] for key in keys) for row in rows]


def test_training_split(root):
    assert rows_of(LLCM(root, 'train')) == [
        ('nir/0003/0003_c12_s1_f2_nir.png', 0, 12, 'infrared', 0),
        ('nir/0009/y.png', 1, -1, 'infrared', 1),
        ('train/cam4/0009/x.png', 1, 4, 'visible', 1),
        ('vis/0003/0003_c01_s1_f2_vis.png', 0, 1, 'visible', 0),
    ]


def test_test_split_without_infrared_camera_3(root):
    dataset = LLCM(root, 'test')
    assert rows_of(dataset) == [
        ('test_nir/cam1/0020/0001.png', 20, 1, 'infrared', -1),
        ('test_nir/cam9/0004/0001.png', 4, 9, 'infrared', -1),
        ('test_vis/cam3/0004/0001.png', 4, 3, 'visible', -1),
    ]
    assert dataset.metainfo['num_ids'] == 2 and dataset.metainfo['protocol'] == 'llcm'


def test_missing_test_camera(root):
    shutil.rmtree(root / 'test_nir' / 'cam8')
    with pytest.raises(FileNotFoundError, match='Missing folder test_nir/cam8 below'):
        LLCM(root, 'test')


def test_training_labels_start_at_0(root):
    for word, names in TRAIN.items():
        text = ''.join(f'{name} {label}\n' for label, name in enumerate(names, start=1))
        (root / 'idx' / f'train_{word}.txt').write_text(text)
    with pytest.raises(
        ValueError, match='2 different ones up to 2, expected all of 0 to 2: 0 miss'
    ):
        LLCM(root, 'train')


@pytest.mark.parametrize(
    ('name', 'camera'),
    [
        ('a_c07_x.jpg', 7),
        ('c2_x.jpg', 2),
        ('cam3/cam12/x.jpg', 12),
        ('cam3/0001_c01_x.jpg', 1),
        ('mycam3/abc1_x.jpg', -1),
    ],
)
def test_camera_of_a_training_image(name, camera):
    assert camera_of(name) == camera
