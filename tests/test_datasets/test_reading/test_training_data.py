"""What a checkpoint knows about its training data, against the images that it is tested on."""

from types import SimpleNamespace

import pytest

from mmvireid.datasets import SYSUMM01, RegDB, SyntheticSYSU, check_trained_on
from mmvireid.engine.hooks import PlainCheckpointHook

LOAD = dict(type='LoadReIDImage', size=(12, 6))


@pytest.fixture
def regdb(rendered):
    def build(split='test', trial=1, size=(12, 6), **options):
        pipeline = [dict(LOAD, size=size)]
        return RegDB(rendered('regdb'), split, trial=trial, pipeline=pipeline, **options)

    return build


def test_the_test_split_of_the_training_data_passes(regdb, sysu_root):
    check_trained_on(regdb(), regdb('train').metainfo, 'it')
    check_trained_on(SYSUMM01(sysu_root, 'test'), SYSUMM01(sysu_root, 'trainval').metainfo, 'it')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(trial=3), '`trial` 3, not 1, expected what it was trained on'),
        (dict(size=(24, 12)), r'`image_size` \[24, 12\], not \[12, 6\]'),
        (dict(trial=2, size=(24, 12)), '`image_size` .*; `trial` 2'),
        (dict(split='train'), "`split` 'train', whose people are in 'train' too"),
    ],
)
def test_what_differs_is_named(regdb, options, message):
    trained_on = regdb('train').metainfo
    with pytest.raises(ValueError, match=f'`test_dataloader.dataset` has .*{message}'):
        check_trained_on(regdb(**options), trained_on, 'it')
    check_trained_on(regdb(**options, trained_elsewhere=True), trained_on, 'it')


def test_another_data_set_is_one_difference(regdb, sysu_root):
    with pytest.raises(ValueError, match=r"has `dataset` 'regdb', not 'sysu_mm01', expected"):
        check_trained_on(regdb(trial=3), SYSUMM01(sysu_root, 'train').metainfo, 'it')


@pytest.mark.parametrize(('option', 'value'), [('seed', 1), ('size', 'small')])
def test_other_rendered_people_are_named(rendered, option, value):
    trained_on = SyntheticSYSU(rendered('sysu'), 'trainval', size='tiny').metainfo
    test = SyntheticSYSU(rendered('sysu'), 'test', size='tiny')
    check_trained_on(test, trained_on, 'it')
    with pytest.raises(ValueError, match=f'`{option}` {test.metainfo[option]!r}, not {value!r}'):
        check_trained_on(test, trained_on | {option: value}, 'it')


def test_held_out_people_are_those_that_were_not_trained_on(sysu_root):
    def build(split='train', num=2, seed=0, **options):
        return SYSUMM01(sysu_root, split, num_heldout_ids=num, heldout_seed=seed, **options)

    trained_on = build().metainfo
    check_trained_on(build(heldout=True), trained_on, 'it')
    others = [
        s for s in range(9) if build(seed=s).metainfo['heldout_ids'] != trained_on['heldout_ids']
    ]
    for options in (dict(num=3), dict(seed=others[0])):
        with pytest.raises(ValueError, match='has held-out people .*not held out of the training'):
            check_trained_on(build(heldout=True, **options), trained_on, 'it')
    nobody_held_out = SYSUMM01(sysu_root, 'trainval').metainfo
    with pytest.raises(ValueError, match='has held-out people'):
        check_trained_on(build(heldout=True), nobody_held_out, 'it')


def test_a_split_that_is_a_part_of_the_training_split(sysu_root):
    trained_on = SYSUMM01(sysu_root, 'trainval').metainfo
    with pytest.raises(ValueError, match="`split` 'val', whose people are in 'trainval' too"):
        check_trained_on(SYSUMM01(sysu_root, 'val'), trained_on, 'it')
    check_trained_on(SYSUMM01(sysu_root, 'val'), SYSUMM01(sysu_root, 'train').metainfo, 'it')


def test_what_nobody_knows_is_not_compared(regdb):
    for trained_on in (None, {}, dict(dataset='regdb', split='train')):
        check_trained_on(regdb(trial=3), trained_on, 'it')
    check_trained_on(SimpleNamespace(metainfo={}), regdb('train').metainfo, 'it')


def test_the_hook_compares_before_a_test(regdb):
    hook = PlainCheckpointHook(strict=False)
    dataset = regdb(trial=3)
    runner = SimpleNamespace(
        _resume=False,
        test_loop=SimpleNamespace(dataloader=SimpleNamespace(dataset=dataset)),
        train_dataloader=SimpleNamespace(dataset=regdb('train', trial=3)),
    )
    hook.before_test(runner)  # weights of unknown origin
    meta = dict(dataset_meta=regdb('train').metainfo)
    hook.after_load_checkpoint(runner, dict(state_dict={}, meta=meta))
    with pytest.raises(ValueError, match='`trial` 3, not 1'):
        hook.before_test(runner)
    hook.before_train(runner)  # from now on it is this run's own data
    hook.before_test(runner)
