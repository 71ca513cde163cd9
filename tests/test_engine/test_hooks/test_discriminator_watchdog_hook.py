import itertools
import re

import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from mmvireid.datasets import reid_collate
from mmvireid.engine.hooks import DiscriminatorWatchdogHook
from mmvireid.models.base import AlternatingReID, BaseReID

ADAM = dict(type='Adam', lr=1e-3)


class Toy(AlternatingReID):
    """The critic's loss is 0 in the iterations (from 1) that ``zero_in`` lists."""

    updates = dict(visible_discriminator=('critic',), generator=('generator',))
    zero_in = ()

    def __init__(self):
        super().__init__(loss_weights=dict(real=1.0, fool=1.0))
        self.critic, self.generator = nn.Linear(24, 1), nn.Linear(24, 24)

    def loss_visible_discriminator(self, inputs, data_samples, shared):
        loss = self.critic(inputs['visible'].flatten(1)).square().mean()
        return dict(real=loss * 0 if self.iteration in self.zero_in else loss)

    def loss_generator(self, inputs, data_samples, shared):
        return dict(fool=self.generator(inputs['infrared'].flatten(1)).mean() * 0)  # not watched

    extract = None


class Iteration(Hook):
    """Tell the model where it is, and remember it."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        runner.model.iteration = self.last = runner.iter + 1


@pytest.fixture
def train(training_batch, tmp_path):
    """``train(zero_in, resume)``: ten epochs of one iteration; the last iteration that began."""
    number = itertools.count()

    def call(zero_in=(), resume=None, model=None, stages=None, **settings):
        batch = training_batch(size=(4, 2))
        model = model or Toy()
        model.zero_in = zero_in
        optim_wrapper = dict(
            constructor='AlternatingOptimWrapperConstructor',
            critic=dict(modules=['critic'], optimizer=ADAM),
            generator=dict(modules=['generator'], optimizer=ADAM),
        )
        default_hooks = dict(checkpoint=dict(type='CheckpointHook', interval=1), logger=None)
        if stages:
            default_hooks['stage'] = dict(type='StageHook', stages=stages)
        runner = Runner(
            model=model,
            work_dir=str(tmp_path),
            train_dataloader=dict(
                dataset=[
                    dict(inputs=image, data_samples=sample)
                    for image, sample in zip(batch['inputs'], batch['data_samples'])
                ],
                batch_size=12,
                sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=reid_collate,
            ),
            train_cfg=dict(by_epoch=True, max_epochs=10),
            optim_wrapper=optim_wrapper if isinstance(model, Toy) else dict(optimizer=ADAM),
            default_hooks=default_hooks,
            custom_hooks=[
                dict(type='PlainCheckpointHook'),
                dict(type='DiscriminatorWatchdogHook', **(dict(patience=4) | settings)),
            ],
            load_from=resume and str(tmp_path / resume),
            resume=resume is not None,
            randomness=dict(seed=0),
            experiment_name=f'{tmp_path.name}_{next(number)}',
            default_scope='mmvireid',
            log_level='ERROR',
        )
        runner.register_hook(position := Iteration())
        runner.train()
        return position.last

    return call


def test_the_message_says_what_since_when_and_where_to_look(train):
    with pytest.raises(RuntimeError) as error:
        train(zero_in=range(3, 11))
    message = str(error.value)
    assert "the loss of update 'visible_discriminator' has been exactly 0 for 4" in message
    assert 'since iteration 3.' in message
    for hint in ('won', 'no data', 'pictures', 'normalisation', 'size', 'form', 'learning rate'):
        assert hint in message


@pytest.mark.parametrize('zero_in', [(), (1, 2, 3, 5, 6, 7, 9, 10)])
def test_zeros_that_are_too_few_in_a_row_pass(zero_in, train):
    assert train(zero_in) == 10


@pytest.mark.parametrize('done', [1, 2, 3, 5])
def test_a_resumed_run_stops_where_a_straight_one_does(done, train):
    with pytest.raises(RuntimeError) as straight:
        train(zero_in=range(3, 11))
    with pytest.raises(RuntimeError) as resumed:
        train(zero_in=range(3, 11), resume=f'epoch_{done}.pth')
    assert str(resumed.value) == str(straight.value)


def test_a_stage_without_the_discriminator_is_not_counted(train):
    stages = [
        dict(name='one', end=3),
        dict(name='two', end=8, updates=['generator']),
        dict(name='three'),
    ]
    assert train(zero_in=(2, 3, 9, 10), stages=stages) == 10


def test_updates_can_be_named(train):
    with pytest.raises(RuntimeError, match="update 'generator' .* since iteration 1"):
        train(discriminators=['generator'])


@pytest.mark.parametrize('settings', [dict(discriminators=['critic']), dict(discriminators=[])])
def test_an_unknown_update_is_named_before_training(settings, train, monkeypatch):
    monkeypatch.setattr(Toy, 'train_step', lambda *_: pytest.fail('training has started'))
    allowed = "`discriminators` is {}, expected some of the updates ['visible_discriminator'"
    with pytest.raises(ValueError, match=re.escape(allowed.format(settings['discriminators']))):
        train(**settings)


def test_a_model_without_a_discriminator_is_named_before_training(train):
    class Plain(BaseReID):
        loss = extract = None

        def __init__(self):
            super().__init__(loss_weights={})
            self.layer = nn.Linear(24, 1)

    with pytest.raises(ValueError, match=r'`discriminators` is \[\], expected some of the updates'):
        train(model=Plain())


def test_patience_below_one_is_named():
    with pytest.raises(ValueError, match='`patience` is 0, expected at least 1'):
        DiscriminatorWatchdogHook(patience=0)
