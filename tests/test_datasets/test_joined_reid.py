"""Several data sets as one: who is whom, what is drawn, and what is refused."""

import shutil
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler
from mmengine.runner import Runner

from mmvireid.datasets import (
    CrossModalityBatchSampler,
    JoinedReID,
    RegDB,
    SeededIndex,
    check_trained_on,
)
from mmvireid.registry import DATASETS

SIZE = (24, 12)
PIPELINE = [
    dict(type='LoadReIDImage', size=SIZE),
    dict(type='RandomPadCrop', padding=2),
    dict(type='RandomErasing', prob=0.5),
    dict(type='PackReIDInputs'),
]
CONFIG = str(Path(__file__).parents[2] / 'configs/agw/agw_sysu-regdb-to-llcm.py')
KINDS = dict(SYSUMM01='sysu', RegDB='regdb', LLCM='llcm')


@pytest.fixture
def configs(rendered):
    """``configs('train', num_heldout_ids=2)``: a part of every real data set's layout."""

    def build(split='train', kinds=tuple(KINDS), **options):
        return [
            dict(type=kind, data_root=rendered(KINDS[kind]), split=split, **options)
            for kind in kinds
        ]

    return build


def rows_of(dataset):
    return [dataset.get_data_info(index) for index in range(len(dataset))]


@pytest.mark.parametrize('split', ['train', 'test'])
def test_people_and_cameras_are_those_of_the_parts_and_never_meet(configs, split):
    """Beside the parts by themselves: what is the same there is the same here, and nothing else."""
    parts = [DATASETS.build(part) for part in configs(split)]
    joined = JoinedReID(configs(split))
    expected = [(n, row) for n, part in enumerate(parts) for row in rows_of(part)]
    rows = rows_of(joined)
    assert len(rows) == len(expected) == sum(map(len, parts))
    for key in ('person_id', 'camera_id'):
        pairs = {((n, old[key]), new[key]) for (n, old), new in zip(expected, rows)}
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
        assert {b for _, b in pairs} == set(range(len(pairs)))
    labels = [row['gt_label'] for row in rows]
    if split == 'train':
        starts = np.cumsum([0, *(part.metainfo['num_ids'] for part in parts)])
        assert labels == [starts[n] + old['gt_label'] for n, old in expected]
        assert joined.metainfo['num_ids'] == starts[-1] == len({*labels})
    else:
        assert {*labels} == {-1}
    assert [row['name'] for row in rows] == [f'{n}/{old["name"]}' for n, old in expected]
    assert [row['img_path'] for row in rows] == [old['img_path'] for _, old in expected]


def test_its_metainfo_is_plain_and_names_all_parts(configs):
    metainfo = JoinedReID(configs(), PIPELINE).metainfo
    assert metainfo['dataset'] == 'sysu_mm01 + regdb + llcm'
    assert (metainfo['split'], metainfo['image_size']) == ('train', [*SIZE])
    parts = [DATASETS.build(dict(part, pipeline=PIPELINE)) for part in configs()]
    assert metainfo['parts'] == [part.metainfo for part in parts]


@pytest.mark.parametrize('cache', [None, 'ram', 'disk'])
def test_an_item_is_that_of_its_part(configs, tmp_path, cache):
    own = [dict(part, cache_dir=str(tmp_path)) for part in configs()]
    joined = JoinedReID(own, PIPELINE, cache=cache)
    parts = [DATASETS.build(dict(part, pipeline=PIPELINE)) for part in configs()]
    start = 0
    for part in parts:
        for index in (0, len(part) - 1):
            for _ in range(2):  # of a cache, first what fills it and then what it holds
                ours, theirs = joined[SeededIndex(start + index, 7)], part[SeededIndex(index, 7)]
                assert torch.equal(ours['inputs'], theirs['inputs'])
            assert ours['data_samples'].modality == theirs['data_samples'].modality
            assert ours['data_samples'].img_path == theirs['data_samples'].img_path
        start += len(part)
    assert len([*tmp_path.iterdir()]) == (3 if cache == 'disk' else 0)


def test_batches_are_of_all_parts(configs):
    """Every part's people as often as they are many, an identity's images all of one part."""
    joined = JoinedReID(configs())
    sampler = DefaultSampler(joined, seed=3)
    batches = CrossModalityBatchSampler(sampler, 16, num_ids=4, num_instances=2, num_batches=60)
    rows, drawn = rows_of(joined), Counter()
    for batch in batches:
        by_label = defaultdict(list)
        for index, _, _ in batch:
            by_label[rows[index]['gt_label']].append(rows[index])
        assert len(by_label) == 4
        for found in by_label.values():
            assert Counter(row['modality'] for row in found) == dict(visible=2, infrared=2)
            (part,) = {row['part'] for row in found}
            drawn[part] += 1
    people = [part['num_ids'] for part in joined.metainfo['parts']]
    shares = np.array([drawn[part] for part in range(3)]) / drawn.total()
    np.testing.assert_allclose(shares, np.array(people) / sum(people), atol=0.1)


def test_people_are_held_out_of_every_part(configs):
    own = [dict(part, num_heldout_ids=2) for part in configs()]
    training, validation = (JoinedReID(own, heldout=heldout) for heldout in (False, True))
    paths = [{row['img_path'] for row in rows_of(half)} for half in (training, validation)]
    assert not paths[0] & paths[1]
    assert {row['img_path'] for row in rows_of(JoinedReID(configs()))} == paths[0] | paths[1]
    assert validation.metainfo['num_ids'] == 6
    assert validation.metainfo['split'] == 'train/heldout'
    assert {row['gt_label'] for row in rows_of(validation)} == {-1}
    check_trained_on(validation, training.metainfo, 'it')
    own[1]['num_heldout_ids'] = 3
    with pytest.raises(ValueError, match='has held-out people .* who were not held out'):
        check_trained_on(JoinedReID(own, heldout=True), training.metainfo, 'it')


def test_an_unreadable_image_is_replaced_by_one_of_the_same_person(configs, tmp_path):
    own = configs(kinds=['RegDB', 'LLCM'])
    own[1]['data_root'] = shutil.copytree(own[1]['data_root'], tmp_path / 'llcm')
    joined = JoinedReID(own, PIPELINE, on_unreadable='replace')
    last = joined.get_data_info(len(joined) - 1)  # of a person: the next one is its first
    with open(last['img_path'], 'wb'):
        pass
    sample = joined[len(joined) - 1]['data_samples']
    assert sample.replaced == last['img_path'] != sample.img_path
    assert (sample.person_id, sample.modality) == (last['person_id'], last['modality'])


def test_rooms_of_two_tables_are_two_rooms(rendered, tmp_path):
    copy = shutil.copytree(rendered('table'), tmp_path / 'copy')
    parts = [
        dict(type='CSVReID', data_root=root, split='train', dataset=name)
        for root, name in ((rendered('table'), 'north'), (str(copy), 'south'))
    ]
    joined = JoinedReID(parts)
    rooms = [{row['room'] for row in rows_of(joined) if row['part'] == n} for n in range(2)]
    assert rooms[0] & rooms[1] == {''}  # not known
    assert all(len(found) > 1 for found in rooms)
    assert joined.metainfo['dataset'] == 'north + south'
    with pytest.raises(ValueError, match=r'show the same people \(csv, split'):
        JoinedReID([{k: v for k, v in part.items() if k != 'dataset'} for part in parts])


def test_nothing_is_read_before_it_is_asked_for():
    joined = JoinedReID([dict(type='RegDB', data_root='nowhere', split='train')], lazy_init=True)
    with pytest.raises(FileNotFoundError, match="RegDB: `data_root` is 'nowhere'"):
        joined.full_init()


@pytest.mark.parametrize(
    ('changes', 'error', 'message'),
    [
        ([], ValueError, '`datasets` is empty'),
        ([{}, {}], ValueError, r'`datasets\[0\]` and `datasets\[1\]` show the same people .sysu'),
        ([{}, dict(split='trainval')], ValueError, 'show the same people'),
        ([{}, dict(type='SyntheticSYSU', size='tiny')], ValueError, r'both have .*\.jpg'),
        ([{}, dict(split='test')], ValueError, "SYSUMM01 'train', SYSUMM01 'test', expected all"),
        ([dict(pipeline=[])], ValueError, r'`datasets\[0\].pipeline` is \[\], expected .* beside'),
        ([dict(heldout=True)], ValueError, r'`datasets\[0\].heldout` is True, expected'),
        ([dict(type='JoinedReID')], TypeError, r"`datasets\[0\].type` is 'JoinedReID'"),
        ([dict(type='Nobody')], KeyError, "'Nobody' is not registered as a dataset"),
        ([dict(split='nothing')], ValueError, "SYSUMM01: `split` is 'nothing'"),
    ],
)
def test_what_makes_no_data_set_is_named(configs, changes, error, message):
    (sysu,) = configs(kinds=['SYSUMM01'])
    with pytest.raises(error, match=message):
        JoinedReID([sysu | change for change in changes])


@pytest.mark.parametrize('datasets', [dict(type='RegDB'), ['RegDB'], [RegDB], [dict(split='a')]])
def test_what_is_no_config_of_a_data_set_is_named(datasets):
    with pytest.raises(TypeError, match=r'JoinedReID: `datasets\[0\].type` is .*, expected a data'):
        JoinedReID(datasets)


def test_a_part_may_be_given_by_its_class(rendered):
    part = dict(data_root=rendered('regdb'), split='train')
    joined = JoinedReID([dict(part, type=RegDB)])
    assert joined.metainfo['num_ids'] == JoinedReID([dict(part, type='RegDB')]).metainfo['num_ids']


def test_two_trials_of_regdb_are_one_data_set(configs):
    (regdb,) = configs(kinds=['RegDB'])
    with pytest.raises(ValueError, match='show the same people'):
        JoinedReID([regdb, regdb | dict(trial=2)])


def test_rendered_people_are_told_by_their_seed(rendered):
    def joined(seed):
        sysu = dict(type='SyntheticSYSU', data_root=rendered('sysu'), split='train', size='tiny')
        regdb = dict(type='SyntheticRegDB', data_root=rendered('regdb', seed), split='train')
        return JoinedReID([sysu, regdb | dict(size='tiny', seed=seed)])

    assert joined(seed=1).metainfo['dataset'] == 'synthetic_sysu + synthetic_regdb'
    with pytest.raises(ValueError, match='show the same people'):
        joined(seed=0)


def test_a_run_on_it_is_resumed_exactly(resumes_exactly):
    resumes_exactly(CONFIG)


def test_a_run_on_it_is_validated_on_people_of_all_parts(shrink):
    cfg = shrink(CONFIG)
    training = cfg.train_dataloader.dataset
    for part in training.datasets:
        part.num_heldout_ids = 2
    pipeline = cfg.test_dataloader.dataset.pipeline
    cfg.val_dataloader = dict(
        cfg.test_dataloader, dataset=dict(training, heldout=True, pipeline=pipeline)
    )
    cfg.update(val_cfg=dict(), val_evaluator=dict(type='CSVMetric', directions=['any-to-any']))
    right = cfg.model.head.num_ids - 4
    with pytest.raises(ValueError, match=f'num_ids` is {right + 4}, expected {right}, the number'):
        Runner.from_cfg(cfg).train()
    cfg.model.head.num_ids = right
    cfg.experiment_name += '_right'
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert len(runner.val_dataloader.dataset) > 20
    assert 0 < runner.message_hub.get_scalar('val/csv/any-to-any/mAP').current() <= 100
