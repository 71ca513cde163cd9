"""SYSU-MM01's layout and splits."""

import shutil

import pytest

from mmvireid.datasets import SYSUMM01


def rows_of(dataset):
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def test_rows_of_the_training_split(sysu_root):
    dataset = SYSUMM01(sysu_root, 'train')
    label_of = {2: 0, 7: 1, 8: 2, 30: 3}
    expected = [
        (f'cam{camera}/{person:04d}/{image:04d}.png', person, camera, modality, label_of[person])
        for camera, modality in [(1, 'visible'), (3, 'infrared')]
        for person in (2, 7, 8, 30)
        for image in (1, 2)
    ]
    expected.append(('cam4/0030/0001.png', 30, 4, 'visible', 3))
    keys = ('name', 'person_id', 'camera_id', 'modality', 'gt_label')
    assert [tuple(row[key] for key in keys) for row in rows_of(dataset)] == expected
    assert all(row['img_path'] == f'{sysu_root}/{row["name"]}' for row in rows_of(dataset))
    assert dataset.metainfo == {
        'dataset': 'sysu_mm01',
        'protocol': 'sysu',
        'split': 'train',
        'num_ids': 4,
    }


@pytest.mark.parametrize(
    ('split', 'labels', 'cameras'),
    [
        ('trainval', {2: 0, 5: 1, 7: 2, 8: 3, 30: 4}, {1, 3, 4}),
        ('val', {5: -1}, {3, 4}),
        ('test', {9: -1, 12: -1}, {2, 3, 5, 6}),
    ],
)
def test_labels_of_the_other_splits(sysu_root, split, labels, cameras):
    dataset = SYSUMM01(sysu_root, split)
    rows = rows_of(dataset)
    assert {row['person_id']: row['gt_label'] for row in rows} == labels
    assert {row['camera_id'] for row in rows} == cameras
    assert dataset.test_mode == (split != 'trainval')


@pytest.mark.parametrize('parent', ['cam', 'cam1', 'my cam3 0007', 'cam2/0009'])
def test_folders_above_the_root_mean_nothing(sysu_root, tmp_path, parent):
    root = tmp_path / parent / 'data'
    shutil.copytree(sysu_root, root)
    moved, original = SYSUMM01(root, 'trainval'), SYSUMM01(sysu_root, 'trainval')
    assert [{**row, 'img_path': ''} for row in rows_of(moved)] == [
        {**row, 'img_path': ''} for row in rows_of(original)
    ]


def test_identities_are_held_out_from_the_training_list_only(sysu_root):
    seen = set()
    for seed in range(4):
        options = {'num_heldout_ids': 2, 'heldout_seed': seed}
        training = SYSUMM01(sysu_root, 'trainval', **options)
        heldout = SYSUMM01(sysu_root, 'trainval', heldout=True, **options)
        kept = {row['person_id']: row['gt_label'] for row in rows_of(training)}
        chosen = {row['person_id'] for row in rows_of(heldout)}
        assert set(kept) | chosen == {2, 5, 7, 8, 30} and not set(kept) & chosen
        assert sorted(kept.items()) == [(p, i) for i, p in enumerate(sorted(kept))]
        assert len(chosen) == 2 and 5 not in chosen
        assert {row['gt_label'] for row in rows_of(heldout)} == {-1}
        assert heldout.test_mode and not training.test_mode
        assert heldout.metainfo['split'] == 'trainval/heldout'
        assert (heldout.metainfo['num_ids'], training.metainfo['num_ids']) == (2, 3)
        seen.add(frozenset(chosen))
    assert len(seen) > 1  # the seed matters


def test_index_file_with_blanks(sysu_root):
    (sysu_root / 'exp' / 'train_id.txt').write_text('30, 2,\t7 ,0008')
    assert SYSUMM01(sysu_root, 'train').metainfo['num_ids'] == 4


def test_missing_camera_folder(sysu_root):
    shutil.rmtree(sysu_root / 'cam6')
    with pytest.raises(FileNotFoundError, match='Missing folder cam6 below'):
        SYSUMM01(sysu_root, 'train')


def test_missing_index_file(sysu_root):
    (sysu_root / 'exp' / 'val_id.txt').unlink()
    SYSUMM01(sysu_root, 'train')
    with pytest.raises(FileNotFoundError, match=r'Missing index file .*val_id\.txt'):
        SYSUMM01(sysu_root, 'trainval')


@pytest.mark.parametrize('text', ['2,x', '2,0', '2,-7', '2,12345', '2,2'])
def test_bad_identity_numbers(sysu_root, text):
    (sysu_root / 'exp' / 'train_id.txt').write_text(text)
    with pytest.raises(ValueError, match=r'train_id\.txt: expected different identity numbers'):
        SYSUMM01(sysu_root, 'train')


def test_identity_without_any_image(sysu_root):
    (sysu_root / 'exp' / 'train_id.txt').write_text('2,3,7')
    with pytest.raises(FileNotFoundError, match=r'1 identities have no image.*: 0003'):
        SYSUMM01(sysu_root, 'train')
