"""What a checkpoint knows about its training data, against the images that it is tested on."""

from types import SimpleNamespace

import pytest

from mmvireid.datasets import (
    SYSUMM01,
    JoinedReID,
    RegDB,
    SyntheticRegDB,
    SyntheticSYSU,
    check_trained_on,
)
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


@pytest.fixture
def joined(rendered):
    """Metainfo of a training on SYSU-MM01 and a trial of RegDB."""

    def build(trial=1):
        sysu = dict(type='SYSUMM01', data_root=rendered('sysu'), split='trainval')
        regdb = dict(type='RegDB', data_root=rendered('regdb'), split='train', trial=trial)
        return JoinedReID([sysu, regdb], [LOAD]).metainfo

    return build


def test_a_model_of_several_data_sets_is_tested_on_what_fits_one(regdb, rendered, joined):
    check_trained_on(regdb(), joined(), 'it')
    check_trained_on(SYSUMM01(rendered('sysu'), 'test', pipeline=[LOAD]), joined(), 'it')
    with pytest.raises(ValueError, match='has `trial` 3, not 1, expected what it was trained on'):
        check_trained_on(regdb(trial=3), joined(), 'it')
    with pytest.raises(ValueError, match="`split` 'val', whose people are in 'trainval' too"):
        check_trained_on(SYSUMM01(rendered('sysu'), 'val', pipeline=[LOAD]), joined(), 'it')
    (sysu, regdb_part) = joined()['parts']
    with pytest.raises(ValueError, match="`dataset` 'regdb', not 'sysu_mm01 \\+ llcm'"):
        check_trained_on(regdb(), dict(parts=[sysu, regdb_part | dict(dataset='llcm')]), 'it')


def test_a_test_across_data_sets_names_those_of_the_training(regdb, sysu_root, joined):
    sysu = SYSUMM01(sysu_root, 'trainval', pipeline=[LOAD]).metainfo
    test = regdb(trained_elsewhere=['sysu_mm01', 'llcm'])
    check_trained_on(test, sysu, 'it')
    check_trained_on(test, dict(parts=[sysu, sysu | dict(dataset='llcm')]), 'it')
    # neither what it is tested on, alone or among others, nor anything else
    for trained_on, found in ((regdb('train').metainfo, 'regdb'), (joined(), 'sysu_mm01.*regdb')):
        with pytest.raises(ValueError, match=rf"`trained_elsewhere` .*, not \['{found}'\], expect"):
            check_trained_on(test, trained_on, 'it')
    with pytest.raises(ValueError, match=r'`image_size` \[12, 6\], not \[24, 12\].*another check'):
        check_trained_on(test, sysu | dict(image_size=[24, 12]), 'it')


def test_rendered_people_of_one_seed_are_the_same_before_all_cameras(rendered):
    trained_on = SyntheticSYSU(rendered('sysu'), 'trainval', size='tiny').metainfo
    for seed in (0, 1):
        test = SyntheticRegDB(
            rendered('regdb', seed), 'test', size='tiny', seed=seed,
            trained_elsewhere=['synthetic_sysu'],
        )  # fmt: skip
        if seed == 0:
            with pytest.raises(ValueError, match="synthetic_regdb, whose people are in 'trainval'"):
                check_trained_on(test, trained_on, 'it')
        else:
            check_trained_on(test, trained_on, 'it')


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
