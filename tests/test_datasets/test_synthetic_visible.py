"""Who and what is in the data set that networks are pre-trained on."""

import re
from collections import Counter
from pathlib import Path

import pytest
from mmengine.config import Config

from mmvireid.datasets import SyntheticVisible

ROOT = Path(__file__).parents[2]


def rows_of(root, split):
    dataset = SyntheticVisible(root, split, size='tiny')
    return dataset, [dataset.get_data_info(index) for index in range(len(dataset))]


@pytest.fixture(scope='module')
def splits(rendered):
    root = rendered('sysu')
    return root, {split: rows_of(root, split)[1] for split in SyntheticVisible.splits}


def test_it_has_every_visible_picture_once_and_nothing_else(splits):
    root, rows = splits
    names = sorted(row['name'] for split in rows.values() for row in split)
    files = [path for camera in (1, 2, 4, 5) for path in Path(root, f'cam{camera}').rglob('*.jpg')]
    assert names == sorted(path.relative_to(root).as_posix() for path in files)


def test_one_picture_of_everybody_is_held_out_from_all_cameras(splits):
    _, rows = splits
    people = {row['person_id'] for row in rows['train']}
    assert len(people) == 20  # 10 of train, 2 of val, 8 of test
    assert Counter(row['person_id'] for row in rows['heldout']) == dict.fromkeys(people, 1)
    assert {row['camera_id'] for row in rows['heldout']} == {1, 2, 4, 5}


def test_a_label_means_the_same_person_in_both_splits(splits):
    _, rows = splits
    labels = [{row['person_id']: row['gt_label'] for row in split} for split in rows.values()]
    assert labels[0] == labels[1]
    assert sorted(labels[0].values()) == [*range(20)]


def test_its_people_are_in_no_other_data_set_of_the_configs():
    """People are a function of the rendering's seed, which nothing else names."""
    cfg = Config.fromfile(ROOT / 'configs/pretrain/resnet18_rendered.py')
    datasets = [cfg[f'{loader}_dataloader'].dataset for loader in ('train', 'val', 'test')]
    seeds = {dataset.seed for dataset in datasets}
    assert len(seeds) == 1 and seeds != {0}  # that of whatever names none
    naming = re.compile(rf'\bseed\s*=\s*{seeds.pop()}\b')
    files = [path for name in ('configs', 'projects') for path in (ROOT / name).rglob('*.py')]
    assert [path.stem for path in files if naming.search(path.read_text())] == ['resnet18_rendered']
