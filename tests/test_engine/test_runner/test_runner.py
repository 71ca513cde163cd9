"""What every run has, whatever its config says of hooks."""

import os
import signal
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from mmvireid.engine.hooks import FiniteLossHook, RecoveryHook, StageHook
from mmvireid.engine.runner import ReIDRunner, build_runner
from mmvireid.engine.runner.runner import GUARDS
from mmvireid.errors import InvalidTypeError
from mmvireid.registry import HOOKS, METRICS, RUNNERS

#: The classes of the guards by name.
KINDS = {name: kind.split('.')[1] for name, kind in GUARDS.items()}
ROOT = Path(__file__).parents[3]


@HOOKS.register_module()
class UsersOwnHook(Hook):
    """Stands for any hook of a user."""


@pytest.fixture
def build(tmp_path):
    """``build(**settings)``: the runner of a config that inherits from nothing."""

    def from_settings(**settings) -> ReIDRunner:
        return build_runner(
            Config(
                dict(
                    model=dict(type='mmvireid.IdentityHead', in_channels=4, num_ids=3),
                    work_dir=str(tmp_path / 'work_dir'),
                    experiment_name=f'{tmp_path.name}_{len(list(tmp_path.rglob("*")))}',
                    log_level='ERROR',
                    **settings,
                )
            )
        )

    return from_settings


def kinds(runner):
    return [type(hook).__name__ for hook in runner.hooks]


@pytest.mark.parametrize(
    'settings',
    [
        dict(),
        dict(default_hooks=None, custom_hooks=None),
        dict(custom_hooks=[dict(type='EmptyCacheHook')]),
        dict(default_hooks=dict(logger=dict(type='LoggerHook', interval=1))),
        dict(default_hooks=dict(recovery=dict(minutes=1))),
        dict(default_scope='mmengine'),
    ],
)
def test_no_config_loses_a_guard_by_chance(build, settings):
    runner = build(**settings)
    for kind in KINDS.values():
        assert kinds(runner).count(kind) == 1, kind


def test_the_base_config_names_all_of_them():
    """So that they can be found, and `--cfg-options` has keys to hit."""
    cfg = Config.fromfile(ROOT / 'configs/_base_/default_runtime.py')
    assert {n: hook['type'] for n, hook in cfg.default_hooks.items() if n in KINDS} == KINDS
    assert cfg.custom_hooks == []  # `[*_base_.custom_hooks, ...]` works


@pytest.mark.parametrize('name', GUARDS)
def test_one_is_switched_off_by_its_name(build, name):
    runner = build(default_hooks={name: None})
    assert {*KINDS.values()} - {*kinds(runner)} == {KINDS[name]}


def test_other_hooks_may_be_switched_off_too(build):
    runner = build(default_hooks=dict(watchdog=None, timer=None))
    assert 'IterTimerHook' not in kinds(runner)


@pytest.mark.parametrize(
    'settings',
    [
        dict(default_hooks=dict(recovery=dict(minutes=7))),
        dict(default_hooks=dict(recovery=dict(type='RecoveryHook', minutes=7))),
        dict(default_hooks=dict(mine=dict(type='mmvireid.RecoveryHook', minutes=7))),
        dict(custom_hooks=[dict(type='RecoveryHook', minutes=7)]),
        dict(
            default_hooks=dict(recovery=dict(type='RecoveryHook', minutes=3)),
            custom_hooks=[dict(type='UsersOwnHook'), dict(type='RecoveryHook', minutes=7)],
        ),
    ],
)
def test_settings_reach_a_guard_wherever_they_stand_and_it_acts_once(build, settings):
    (hook,) = [hook for hook in build(**settings).hooks if isinstance(hook, RecoveryHook)]
    assert hook.minutes == 7


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(custom_hooks=dict(type='UsersOwnHook')), '`custom_hooks` is a ConfigDict, expected'),
        (dict(default_hooks=[dict(type='UsersOwnHook')]), '`default_hooks` is a list, expected a'),
        (dict(custom_hooks=['UsersOwnHook']), r'`custom_hooks\[0\]` is a str, expected a dict'),
        (dict(custom_hooks=[None]), r'`custom_hooks\[0\]` is a NoneType, expected a dict'),
        (dict(default_hooks=dict(recovery=False)), '`default_hooks.recovery` is a bool, .*None'),
        (dict(default_hooks=dict(mine=dict(a=1))), r"mine` is {'a': 1}, expected a dict with a `t"),
        (dict(runner_type='FlexibleRunner'), "`runner_type` is 'FlexibleRunner', expected a subcl"),
    ],
)  # fmt: skip
def test_what_is_no_hook_and_no_runner_is_named(build, settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build(**settings)


def test_a_runner_of_ones_own_has_them_too(build):
    class OwnRunner(ReIDRunner):
        pass

    RUNNERS.register_module(module=OwnRunner, force=True)
    runner = build(runner_type='OwnRunner')
    assert type(runner) is OwnRunner
    assert FiniteLossHook in map(type, runner.hooks)
    with pytest.raises(KeyError, match="Did you mean 'OwnRunner'"):
        build(runner_type='OwnRuner')


def test_a_misfit_is_refused_without_any_base_config(build, tmp_path):
    """MMEngine's runner alone takes it, with a line in the log."""
    path = str(tmp_path / 'wrong.pth')
    torch.save(dict(state_dict={'of.another.model': torch.ones(3)}), path)
    with pytest.raises(ValueError, match='1 not in the model: of.another.model'):
        build().load_checkpoint(path)
    work_dir, name = str(tmp_path / 'stock'), f'{tmp_path.name}_stock'
    Runner(nn.Linear(1, 1), work_dir, experiment_name=name).load_checkpoint(path)


def test_what_a_hook_refuses_reaches_the_user_as_a_refusal(build):
    """MMEngine makes another TypeError of it, which would be taken for a bug."""
    runner = build()
    runner._hooks = [StageHook([dict(name='one')])]
    with pytest.raises(InvalidTypeError, match='`model` is a IdentityHead, expected a StagedReID'):
        runner.call_hook('before_train')


@METRICS.register_module()
class Distant(BaseMetric):
    """A user's own metric, of which nothing is known before."""

    default_prefix = 'own'

    def process(self, data_batch, data_samples):
        self.results.append(1)

    def compute_metrics(self, results):
        return dict(count=len(results))


def test_results_of_one_name_are_refused_before_the_work(build):
    runner = build()
    cosine = dict(type='SYSUMetric', modes=['all'], shots=[1])
    for other in (dict(modes=['indoor']), dict(prefix='far', distance='euclidean')):
        runner.build_evaluator([cosine, cosine | other, dict(type='Distant')])
    with pytest.raises(ValueError, match="6 results would have one name, such as 'sysu/all-1shot"):
        runner.build_evaluator([cosine, cosine | dict(distance='euclidean')])


def test_functions_of_a_data_loader_need_no_scope():
    for name in ('reid_collate', 'mmvireid.reid_collate', 'default_collate'):
        loader = ReIDRunner.build_dataloader(
            dict(
                dataset=[1, 2],
                batch_size=1,
                sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=dict(type=name),
            )
        )
        assert loader.collate_fn.func.__name__ == name.rpartition('.')[2]
    with pytest.raises(KeyError, match="'reid_colate' is not registered as a function"):
        ReIDRunner.build_dataloader(dict(collate_fn=dict(type='reid_colate')))


@pytest.mark.parametrize(('asked', 'expected'), [(False, None), (True, ':4096:8')])
def test_deterministic_training_gets_its_workspace(asked, expected, build, monkeypatch):
    """Without it PyTorch refuses the first product of matrices on a GPU."""
    monkeypatch.setenv('CUBLAS_WORKSPACE_CONFIG', 'x')  # so that it is put back at the end
    monkeypatch.delenv('CUBLAS_WORKSPACE_CONFIG')
    monkeypatch.setattr(torch, 'use_deterministic_algorithms', lambda *args, **kwargs: None)
    monkeypatch.setattr(torch.backends.cudnn, 'deterministic', False)
    build(randomness=dict(seed=0, deterministic=asked))
    assert os.environ.get('CUBLAS_WORKSPACE_CONFIG') == expected


def test_a_training_that_fails_leaves_nobody_listening(build, monkeypatch):
    def fail(runner):
        for hook in runner.hooks:
            if isinstance(hook, RecoveryHook):
                hook.before_train(runner)
        assert signal.getsignal(signal.SIGINT) is not before[1]
        raise ValueError('the data are gone')

    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    runner = build()
    runner._train_loop = runner._val_loop = None
    monkeypatch.setattr(Runner, 'train', fail)
    with pytest.raises(ValueError, match='the data are gone'):
        runner.train()
    assert before == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
