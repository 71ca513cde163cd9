import warnings

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from mmvireid.datasets import reid_collate
from mmvireid.engine.hooks import StageHook
from mmvireid.models.base import AlternatingReID, BaseReID

STAGES = [
    dict(name='one', end=2, frozen=['right'], loss_weights=dict(right=0.0)),
    dict(name='two', end=3, frozen=['left'], loss_weights=dict(left=0.0)),
    dict(name='three'),
]


class Toy(AlternatingReID):
    """Two linear layers, each with a term of its own."""

    updates = dict(both=('sgd',))

    def __init__(self):
        super().__init__(loss_weights=dict(left=1.0, right=2.0))
        self.left, self.right = nn.Linear(24, 1), nn.Linear(24, 1)

    def loss_both(self, inputs, data_samples, shared):
        images = torch.cat(list(inputs.values())).flatten(1)
        return dict(left=self.left(images).square().mean(), right=self.right(images).abs().mean())

    extract = None


class Recorder(Hook):
    """What every iteration found: stage, what moved, which losses are in the log."""

    priority = 'LOWEST'

    def __init__(self):
        self.rows, self.logged = [], []

    def before_train(self, runner):
        self.stage_before_training = runner.model.stage.name

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.before = {key: value.clone() for key, value in runner.model.state_dict().items()}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        after = runner.model.state_dict()
        moved = {
            key.split('.')[0] for key in after if not torch.equal(self.before[key], after[key])
        }
        logged = {key for key in runner.message_hub.log_scalars if 'both/loss_' in key}
        self.rows.append((runner.model.stage.name, moved, {key[-5:].strip('_') for key in logged}))
        self.logged.append(set(runner.message_hub.log_scalars))


EXPECTED = [
    ('one', {'left'}, {'left'}),
    ('one', {'left'}, {'left'}),
    ('two', {'right'}, {'right'}),
    ('three', {'left', 'right'}, {'left', 'right'}),
]


@pytest.fixture
def train(training_batch, tmp_path):
    """``train(stages)`` for 4 epochs of one iteration (or 4 iterations); returns the recorder."""

    def call(stages, by_epoch=True, model=None, resume=None, length=4, **settings):
        batch = training_batch(size=(4, 2))
        rows = [
            dict(inputs=image, data_samples=sample)
            for image, sample in zip(batch['inputs'], batch['data_samples'])
        ]
        loop = dict(by_epoch=True, max_epochs=length)
        if not by_epoch:
            loop = dict(type='IterBasedTrainLoop', max_iters=length)
        optim_wrapper = dict(
            constructor='AlternatingOptimWrapperConstructor',
            sgd=dict(
                modules=['left', 'right'],
                optimizer=dict(type='SGD', lr=0.01, momentum=0.9),
            ),
        )
        runner = Runner(
            model=model or Toy(),
            work_dir=str(tmp_path),
            train_dataloader=dict(
                dataset=rows if by_epoch else rows * length,  # going round takes 2 s
                batch_size=len(rows),
                sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=reid_collate,
            ),
            train_cfg=loop,
            **dict(optim_wrapper=optim_wrapper) | settings,
            default_hooks=dict(
                stage=dict(type='StageHook', stages=stages, by_epoch=by_epoch),
                checkpoint=dict(type='CheckpointHook', interval=1, by_epoch=by_epoch),
                logger=None,
            ),
            custom_hooks=[dict(type='PlainCheckpointHook')],
            load_from=resume,
            resume=resume is not None,
            randomness=dict(seed=0),
            experiment_name=f'{tmp_path.name}_{len(list(tmp_path.iterdir()))}',
            default_scope='mmvireid',
            log_level='ERROR',
        )
        recorder = Recorder()
        runner.register_hook(recorder)
        runner.train()
        return recorder

    return call


@pytest.mark.parametrize('by_epoch', [True, False])
def test_stages_follow_each_other_and_their_losses_leave_the_log(by_epoch, train, tmp_path):
    recorder = train(STAGES, by_epoch)
    assert recorder.stage_before_training == 'one'
    assert recorder.rows == EXPECTED
    for path in tmp_path.glob('*_*.pth'):
        hub = torch.load(path, weights_only=True)['message_hub']
        promised = {key for key in hub['resumed_keys'] if key.startswith('train/')}
        assert promised == set(hub['log_scalars'])  # MMEngine warns of every other one


class TwoUpdates(Toy):
    """Each layer has an update, an optimiser and a diagnostic of its own."""

    updates = dict(left=('left',), right=('right',))
    diagnostics = ('size',)

    def loss_left(self, inputs, data_samples, shared):
        score = self.left(torch.cat(list(inputs.values())).flatten(1))
        return dict(left=score.square().mean(), size=score.abs().max())

    def loss_right(self, inputs, data_samples, shared):
        score = self.right(torch.cat(list(inputs.values())).flatten(1))
        return dict(right=score.square().mean(), size=score.abs().max())


TWO_OPTIMISERS = dict(
    constructor='AlternatingOptimWrapperConstructor',
    left=dict(modules=['left'], optimizer=dict(type='SGD', lr=0.01)),
    right=dict(modules=['right'], optimizer=dict(type='SGD', lr=0.02)),
)
TURNS = [dict(name='one', end=2, updates=['left']), dict(name='two', updates=['right'])]


def test_all_values_of_an_update_that_rests_leave_the_log(train):
    recorder = train(TURNS, model=TwoUpdates(), optim_wrapper=TWO_OPTIMISERS)
    for name, logged in zip(['left', 'left', 'right', 'right'], recorder.logged):
        values = {'loss', f'loss_{name}', 'size', f'{name}.grad_norm'}
        assert {key for key in logged if '/' in key[6:]} == {f'train/{name}/{v}' for v in values}
        # what is no update's stays: every optimiser has a rate all the time
        assert {'train/time', 'train/left.lr', 'train/right.lr'} <= logged


@pytest.mark.parametrize('is_silenced', [True, False])
def test_an_optimiser_that_rests_causes_no_warning(is_silenced, train, monkeypatch):
    if not is_silenced:
        monkeypatch.setattr('warnings.filterwarnings', lambda *_: None)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter('always')
        train(
            TURNS,
            model=TwoUpdates(),
            optim_wrapper=TWO_OPTIMISERS,
            param_scheduler=dict(type='MultiStepLR', milestones=[2]),
        )
    order = [str(w.message) for w in found if 'before `optimizer.step()`' in str(w.message)]
    assert len(order) == (0 if is_silenced else 1)


@pytest.mark.parametrize('done', [1, 2, 3])
def test_a_resumed_run_finds_its_stage(done, train, tmp_path):
    train(STAGES)
    recorder = train(STAGES, resume=str(tmp_path / f'epoch_{done}.pth'))
    assert recorder.stage_before_training == EXPECTED[done][0]
    assert recorder.rows == EXPECTED[done:]


def test_a_finished_run_can_be_resumed(train, tmp_path):
    stages = [*STAGES[:2], dict(name='three', end=4)]
    train(stages)
    assert train(stages, resume=str(tmp_path / 'epoch_4.pth')).rows == []


@pytest.mark.parametrize(
    ('stages', 'message'),
    [
        ([*STAGES[:2], dict(name='three', frozen=['rihgt'])], "`frozen` of stage 'three' has"),
        (
            [*STAGES[:2], dict(name='three', loss_weights=dict(x=1.0))],
            "`loss_weights` of stage 'th",
        ),
        ([*STAGES[:2], dict(name='three', updates=['gan'])], "`updates` of stage 'three' has"),
        ([*STAGES[:2], dict(name='three', updates=[])], "`updates` of stage 'three' is empty"),
        ([dict(name='one', end=3)], r'the stages end at \[3\], expected .* 4 epochs'),
        ([dict(name='one', end=4), dict(name='two')], r'end at \[4, 4\], expected .* begin before'),
        ([dict(name='one', end=5), dict(name='two', end=6)], r'end at \[5, 6\], expected'),
    ],
)
def test_the_whole_table_is_checked_before_the_first_iteration(stages, message, train, monkeypatch):
    monkeypatch.setattr(Toy, 'train_step', lambda *_: pytest.fail('training has started'))
    with pytest.raises(ValueError, match=message):
        train(stages)


def test_iterations_are_called_so(train):
    with pytest.raises(ValueError, match=r'end at \[3\], expected .* 4 iterations'):
        train([dict(name='one', end=3)], by_epoch=False)


def test_a_model_without_stages_is_named(train):
    class Plain(BaseReID):
        updates = Toy.updates
        loss = extract = None

        def __init__(self):
            super().__init__(loss_weights={})
            self.left, self.right = nn.Linear(24, 1), nn.Linear(24, 1)

    with pytest.raises(TypeError, match='`model` is a Plain, expected a StagedReID'):
        train(STAGES, model=Plain())


@pytest.mark.parametrize(
    ('stages', 'message'),
    [
        ([], '`stages` is empty'),
        ([dict(end=3)], r"fields \['end'\], expected `name` and some of"),
        ([dict(name='one', ends=3)], r"fields \['ends', 'name'\]"),
        ([dict(name='one'), dict(name='two')], "stage 'one' never ends"),
        ([dict(name='a', end=3), dict(name='b', end=3)], "`end` of stage 'b' is 3, expected more"),
        ([dict(name='a', end=3), dict(name='b', end=2)], 'do not overlap'),
        ([dict(name='a', end=0)], "`end` of stage 'a' is 0, expected more than 0"),
    ],
)
def test_a_table_that_makes_no_sense_is_named(stages, message):
    with pytest.raises(ValueError, match=message):
        StageHook(stages)
