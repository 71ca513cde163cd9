"""Teachers against a loop written by hand, through interruption and in several processes."""

import os
import signal
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch import nn

from mmvireid.engine.hooks import RecoveryHook, TeacherHook
from mmvireid.engine.hooks import teacher_hook as module
from mmvireid.engine.runner import resume_from

PAIR = dict(teacher='slow', student='layers.2')


class Record(Hook):
    """The student before every iteration, the teacher behind it."""

    priority = 'HIGHEST'

    def __init__(self):
        self.before, self.after = [], []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.before.append((runner.epoch, runner.model.layers[2].weight.clone()))

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.after.append(runner.model.slow.weight.clone())


def give_teacher(runner):
    """A second layer, which begins elsewhere than its student."""
    torch.manual_seed(5)
    device = runner.model.layers[2].weight.device
    runner.model.slow = nn.Linear(24, 3).requires_grad_(False).to(device)
    return runner


@pytest.fixture
def taught(toy_runner):
    """``taught('name')``: a toy run whose model has a teacher."""

    def build(name, *hooks, **options):
        record = Record()
        hook = TeacherHook([PAIR], rate=0.3, horizon=3)
        runner = give_teacher(toy_runner(name, hooks=[record, hook, *hooks], **options))
        runner.record = record
        return runner

    return build


def test_teachers_follow_as_a_loop_says(taught):
    runner = taught('run')
    teacher = runner.model.slow.weight.clone()
    runner.train()
    assert len(runner.record.after) == 12
    for (epoch, student), found in zip(runner.record.before, runner.record.after):
        rate = 0.3 * min(3 / (epoch + 2), 1)  # the release counts epochs from 1
        teacher = (1 - rate) * teacher + rate * student
        torch.testing.assert_close(found, teacher)
    assert not torch.allclose(teacher, runner.model.layers[2].weight)


def test_optimisers_and_gradients_do_not_know_teachers(taught):
    runner = taught('run')
    runner.train()
    kept = runner.optim_wrapper.optimizer.state  # momentum of what was stepped
    assert set(kept) == {p for p in runner.model.parameters() if p.requires_grad}
    for parameter in runner.model.slow.parameters():
        assert parameter not in kept
        assert parameter.grad is None


class Interrupt(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 6:
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_resumed_run_has_the_same_teacher(taught, tmp_path):
    straight = taught('straight')
    straight.train()
    first = taught('cut', Interrupt(), RecoveryHook())
    with pytest.raises(SystemExit):
        first.train()
    checkpoint = resume_from('auto', str(tmp_path / 'cut'))
    assert 'recovery' in checkpoint
    second = taught('cut', resume=checkpoint)
    second.train()
    expected = straight.model.state_dict()
    assert 'slow.weight' in expected
    for key, value in second.model.state_dict().items():
        assert torch.equal(value, expected[key]), key


def build(**parts):
    model = nn.Module()
    for name, part in parts.items():
        model.add_module(name, part)
    return SimpleNamespace(model=model, epoch=0)


def test_statistics_do_not_follow_and_parts_may_be_deep():
    def twin():
        return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))

    torch.manual_seed(0)
    runner = build(heads=nn.ModuleDict(dict(fast=twin(), slow=twin().requires_grad_(False))))
    fast, slow = runner.model.heads.values()
    fast[1].running_mean.fill_(7)
    hook = TeacherHook([dict(teacher='heads.slow', student='heads.fast')], rate=1.0)
    hook.before_train(runner)
    hook.before_train_iter(runner, 0)
    torch.testing.assert_close(slow[0].weight, fast[0].weight)
    assert slow[1].running_mean.eq(0).all()


def test_wrapped_parts_are_found(monkeypatch):
    """As of a method with several optimisers, whose children are wrapped one by one."""

    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    monkeypatch.setattr(
        'mmvireid.models.base.wrappers.is_model_wrapper',
        lambda model: isinstance(model, Wrapper) or is_model_wrapper(model),
    )
    model = nn.ModuleDict(dict(heads=Wrapper(nn.ModuleDict(dict(fast=nn.Linear(1, 2))))))
    found = module._parameters(Wrapper(model), 'heads.fast')
    assert set(found) == {'weight', 'bias'}


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(pairs=[]), '`pairs` is .., expected dicts with .*teacher.*student'),
        (dict(pairs=[dict(teacher='a')]), '`pairs` is .*, expected dicts'),
        (dict(pairs=['a']), "`pairs` has 'a', expected dicts"),
        (dict(pairs=[PAIR], rate=0), '`rate` is 0 and `horizon` None'),
        (dict(pairs=[PAIR], rate=1.5), '`rate` is 1.5'),
        (dict(pairs=[PAIR], horizon=0), '`horizon` 0'),
    ],
)
def test_tables_that_mean_nothing_are_refused(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        TeacherHook(**arguments)


@pytest.mark.parametrize(
    ('slow', 'message'),
    [
        (nn.Linear(2, 3), "teacher 'slow', whose parameters learn by a gradient"),
        (
            nn.Linear(2, 4).requires_grad_(False),
            "teacher 'slow' with the parameters .* same shapes",
        ),
        (nn.Identity(), r"teacher 'slow' with the parameters \[\]"),
    ],
)
def test_teachers_that_do_not_fit_are_refused_before_training(slow, message):
    hook = TeacherHook([dict(teacher='slow', student='fast')])
    with pytest.raises(ValueError, match=message):
        hook.before_train(build(slow=slow, fast=nn.Linear(2, 3)))
    with pytest.raises(KeyError, match="names 'fast', which Module does not have"):
        hook.before_train(build(slow=slow))
