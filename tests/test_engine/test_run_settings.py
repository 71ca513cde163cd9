"""A checkpoint knows its run."""

import json
from types import SimpleNamespace

import pytest
from mmengine.config import Config

from mmvireid.engine.run_settings import SETTINGS, check_settings, note_settings, settings_of


class Images(list):
    metainfo = dict(dataset='toy', split='train', num_ids=4, other=object())


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, text):
        self.lines.append(text)


@pytest.fixture
def run():
    """``run({'optim_wrapper.lr': 2})``: a run whose config differs in so much."""

    def build(options=(), num_images=10):
        cfg = Config(
            dict(
                model=dict(type='AGW', width=8, flip_test=False, init_cfg=dict(checkpoint='a')),
                train_dataloader=dict(
                    batch_size=8, num_workers=2, dataset=dict(data_root='/a', cache=None)
                ),
                optim_wrapper=dict(lr=1.0, betas=(0.9, 0.99)),
                param_scheduler=[dict(end=2), dict(end=5)],
                train_cfg=dict(max_epochs=5, val_interval=1),
                randomness=dict(seed=0),
                test_evaluator=dict(shots=[1]),
                default_hooks=dict(logger=dict(type='LoggerHook', interval=1)),
                custom_hooks=[
                    dict(type='StageHook', stages=[dict(name='a', end=3)]),
                    dict(type='TeacherHook', rate=0.2),
                ],
                work_dir='w',
            )
        )
        cfg.merge_from_dict(dict(options))
        loader = SimpleNamespace(dataset=Images(range(num_images)))
        return SimpleNamespace(cfg=cfg, train_dataloader=loader, logger=Log())

    return build


def compare(then, now):
    """What resuming says: a refusal or ``None``, and the log."""
    checkpoint = dict(meta={})
    note_settings(then, checkpoint)
    try:
        check_settings(now, checkpoint)
    except ValueError as error:
        return str(error), now.logger.lines
    return None, now.logger.lines


def test_settings_are_plain_text_that_comes_back_equal(run):
    checkpoint = dict(meta={})
    note_settings(run(), checkpoint)
    text = checkpoint['meta'][SETTINGS]
    assert isinstance(text, str)
    found = json.loads(text)
    assert found == settings_of(run())
    assert found['optim_wrapper.betas'] == [0.9, 0.99]
    assert found['param_scheduler.1.end'] == 5
    assert found['training set.images'] == 10
    assert found['training set.num_ids'] == 4
    assert found['processes'] == 1
    assert not any(name.startswith(('work_dir', 'test_', 'hooks.LoggerHook')) for name in found)


@pytest.mark.parametrize(
    ('key', 'value'),
    {
        'train_dataloader.num_workers': 0,
        'train_dataloader.pin_memory': True,
        'train_dataloader.dataset.data_root': '/moved',
        'train_dataloader.dataset.cache': 'ram',
        'train_cfg.val_interval': 5,
        'model.init_cfg': None,
        'model.flip_test': True,
        'test_evaluator.shots': [10],
        'default_hooks.logger.interval': 50,
        'default_hooks.recovery': dict(type='RecoveryHook', minutes=1),
        'work_dir': 'v',
        'load_from': 'a.pth',
    }.items(),
)
def test_what_changes_no_number_may_change(run, key, value):
    assert compare(run(), run({key: value})) == (None, [])


@pytest.mark.parametrize(
    ('key', 'value'), {'train_cfg.max_epochs': 9, 'default_hooks.own': dict(type='OwnHook')}.items()
)
def test_what_may_be_meant_is_said(run, key, value):
    refusal, log = compare(run(), run({key: value}))
    assert refusal is None
    assert len(log) == 1
    assert key.rpartition('.')[2] in log[0] or 'OwnHook' in log[0]


@pytest.mark.parametrize(
    ('key', 'value', 'name'),
    [
        ('optim_wrapper.lr', 2.0, 'optim_wrapper.lr'),
        ('optim_wrapper.betas', (0.5, 0.99), 'optim_wrapper.betas'),
        ('param_scheduler.1.end', 6, 'param_scheduler.1.end'),
        ('model.width', 9, 'model.width'),
        ('model.extra', 1, 'model.extra'),
        ('train_dataloader.batch_size', 16, 'train_dataloader.batch_size'),
        ('randomness.seed', 1, 'randomness.seed'),
        ('custom_hooks.0.stages.0.end', 4, 'hooks.StageHook.stages.0.end'),
        ('custom_hooks.1.rate', 0.3, 'hooks.TeacherHook.rate'),
    ],
)
def test_other_settings_are_another_run(run, key, value, name):
    refusal, _ = compare(run(), run({key: value}))
    was = settings_of(run()).get(name)
    now = list(value) if isinstance(value, tuple) else value
    assert f'another run: `{name}` is {now!r}, it was {was!r}.' in refusal


def test_other_images_are_another_run(run):
    refusal, _ = compare(run(), run(num_images=11))
    assert '`training set.images` is 11, it was 10' in refusal


def test_an_older_checkpoint_is_taken_with_a_word(run):
    now = run()
    check_settings(now, dict(meta={}))
    assert len(now.logger.lines) == 1
    assert 'not checked' in now.logger.lines[0]
