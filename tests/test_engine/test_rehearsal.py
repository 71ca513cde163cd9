"""Mistakes that only a later stage would meet stop a training before its first iteration."""

import gc

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from mmvireid.datasets import reid_collate
from mmvireid.engine.runner import (
    ReIDDistributedDataParallel,
    ReIDSeparateDistributedDataParallel,
)
from mmvireid.models.base import AlternatingReID, BaseReID, StagedReID

#: Weight decides, a critic judges, both with BatchNorm and dropout, first alone and then together.
STAGES = [
    dict(name='warm-up', end=1, updates=['generator'], frozen=['critic']),
    dict(name='joint', updates=['generator', 'critic'], loss_weights=dict(size=0.5)),
]


class Toy(AlternatingReID):
    updates = dict(generator=('generator',), critic=('critic',))
    diagnostics = ('norm',)

    def __init__(self, **weights):
        super().__init__(loss_weights=dict(size=1.0, gap=2.0, level=0.0) | weights)
        self.generator = nn.Sequential(nn.BatchNorm1d(24), nn.Dropout(0.5), nn.Linear(24, 4))
        self.critic = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 1))

    def extract(self, inputs):
        return self.generator(torch.cat(list(inputs.values())).flatten(1))

    def loss_generator(self, inputs, data_samples, shared):
        codes = self.extract(inputs)
        shared['codes'] = codes.detach()
        terms = dict(size=codes.square().mean(), norm=codes.norm())
        if self.wants('level'):
            terms['level'] = codes.mean()
        return terms

    def loss_critic(self, inputs, data_samples, shared):
        return dict(gap=self.critic(shared['codes']).square().mean())


class Plain(BaseReID):
    def __init__(self, **weights):
        super().__init__(loss_weights=dict(identity=1.0) | weights)
        self.layer = nn.Linear(24, 3)

    def extract(self, inputs):
        return self.layer(torch.cat(list(inputs.values())).flatten(1))

    def loss(self, inputs, data_samples):
        logits = self.extract(inputs)
        return dict(identity=nn.functional.cross_entropy(logits, self.gt_labels(data_samples)))


class Counter(Hook):
    iterations = 0

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.iterations += 1


@pytest.fixture
def runner_of(training_batch, tmp_path):
    """``runner_of(model, stages)``: two epochs of one iteration; ``checked`` says by whom."""

    def build(model, stages=None, checked=True, optim_wrapper=None):
        batch = training_batch(size=(4, 2))
        rows = [
            dict(inputs=image, data_samples=sample)
            for image, sample in zip(batch['inputs'], batch['data_samples'])
        ]
        dataset = type('Rows', (list,), dict(metainfo={}))(rows)
        entry = dict(optimizer=dict(type='SGD', lr=0.1))
        several = dict(
            constructor='AlternatingOptimWrapperConstructor',
            generator=dict(modules=['generator'], **entry),
            critic=dict(modules=['critic'], **entry),
        )
        counter = Counter()
        runner = Runner(
            model=model,
            work_dir=str(tmp_path),
            train_dataloader=dict(
                dataset=dataset,
                batch_size=len(rows),
                sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=reid_collate,
            ),
            train_cfg=dict(by_epoch=True, max_epochs=2),
            optim_wrapper=several if isinstance(model, AlternatingReID) else entry,
            default_hooks=dict(logger=None, checkpoint=None),
            custom_hooks=[
                counter,
                *([dict(type='PreflightHook')] if checked else []),
                *([dict(type='StageHook', stages=stages)] if stages else []),
            ],
            randomness=dict(seed=0),
            experiment_name=f'{tmp_path.name}_{checked}',
            default_scope='mmvireid',
            log_level='ERROR',
        )
        runner.counter = counter
        return runner

    return build


def test_a_rehearsal_changes_nothing(runner_of):
    """Weights, statistics and random numbers are those of a training without it."""
    states = []
    for checked in (True, False):
        torch.manual_seed(0)
        runner = runner_of(Toy(), STAGES, checked)
        torch.manual_seed(1)  # dropout
        runner.train()
        states.append(runner.model.state_dict())
    assert runner.counter.iterations == 2
    for (name, one), two in zip(states[0].items(), states[1].values()):
        assert torch.equal(one, two), name


class Staged(StagedReID):
    """Says what it sees."""

    def __init__(self):
        views = dict(visible={}, mirrored=dict(modality='visible'))
        super().__init__(dict(identity=1.0), data_preprocessor=dict(views=views))
        self.layer, self.seen = nn.Linear(24, 3), []

    def extract(self, inputs):
        return self.layer(torch.cat(list(inputs.values())).flatten(1))

    def loss(self, inputs, data_samples):
        self.seen.append({sample.view for sample in data_samples})
        logits = self.extract(inputs)
        return dict(identity=nn.functional.cross_entropy(logits, self.gt_labels(data_samples)))


def test_a_stage_sees_its_own_views_in_the_rehearsal_and_in_training(runner_of):
    """Two stages of an epoch with one iteration each, after a rehearsal of both."""
    model, first, second = Staged(), ['mirrored', 'infrared'], ['infrared', 'visible']
    table = [dict(name='one', end=1, views=first), dict(name='two', views=second)]
    runner_of(model, table).train()
    assert model.seen == [set(first), set(second)] * 2


def test_views_of_a_later_stage_that_are_not_there_stop_a_training(runner_of):
    table = [dict(name='one', end=1), dict(name='two', views=['gray', 'infrared'])]
    runner = runner_of(Staged(), table)
    with pytest.raises(ValueError, match=r"`views` of stage 'two' has \['gray'\], expected some"):
        runner.train()
    assert runner.counter.iterations == 0


def stop(runner, error, message):
    with pytest.raises(error, match=message) as caught:
        runner.train()
    assert runner.counter.iterations == 0
    return caught.value


@pytest.mark.parametrize('weight', [0.5, 0.0])
def test_a_weight_without_a_term_is_named(weight, runner_of):
    """Also of weight 0: the ablation would never happen."""
    message = r"Plain: `model\.loss_weights` has \['identiti'\].*Did you mean 'identity'\?"
    stop(runner_of(Plain(identiti=weight)), ValueError, message)
    message = r"Toy: `model\.loss_weights` has \['levle'\].*Did you mean 'level'\?"
    stop(runner_of(Toy(levle=weight), STAGES), ValueError, message)


def test_a_stage_that_weighs_what_it_does_not_compute_is_named(runner_of):
    stages = [dict(STAGES[0], loss_weights=dict(gap=3.0)), STAGES[1]]
    message = r"`loss_weights` of stage 'warm-up' has \['gap'\], which no loss computes"
    stop(runner_of(Toy(), stages), ValueError, message)
    stages[0]['loss_weights'] = dict(gap=0.0)
    runner_of(Toy(), stages).train()


def test_a_missing_method_is_named(runner_of):
    class Half(Toy):
        loss_critic = None

    stop(runner_of(Half(), STAGES), TypeError, r"`updates` has \['critic'\].*`loss_critic\(inputs")


def test_a_diagnostic_that_would_be_added_up_is_named(runner_of):
    class Loud(Toy):
        diagnostics = ('norm', 'lossless')

    stop(runner_of(Loud(), STAGES), ValueError, r"`diagnostics` has \['lossless'\], expected names")


def test_what_a_later_stage_lacks_is_named_with_the_stage(runner_of):
    class Undeclared(Toy):
        def loss_critic(self, inputs, data_samples, shared):
            return super().loss_critic(inputs, data_samples, shared) | dict(accuracy=torch.ones(()))

    error = stop(runner_of(Undeclared(), STAGES), KeyError, r"no weight for the terms \['accuracy'")
    assert "rehearsal of stage 'joint', before the first iteration" in error.__notes__[0]
    swapped = [STAGES[0], dict(STAGES[1], updates=['critic', 'generator'])]
    stop(runner_of(Toy(), swapped), KeyError, r"needs 'codes', which none before it has left")
    idle = [STAGES[0], dict(STAGES[1], loss_weights=dict(gap=0.0))]
    stop(runner_of(Toy(), idle), ValueError, r"no term of update 'critic' has a positive weight")


def test_a_graph_that_is_left_for_a_later_update_is_named(runner_of):
    """Two backward passes would go through it, the second in the first iteration of its stage."""

    class Attached(Toy):
        def loss_generator(self, inputs, data_samples, shared):
            terms = super().loss_generator(inputs, data_samples, shared)
            shared['codes'] = self.extract(inputs)
            return terms

    message = r"update 'generator' leaves \['codes'\] in `shared` with a graph, expected detached"
    stop(runner_of(Attached(), STAGES), ValueError, message)


def test_a_bug_of_a_later_stage_keeps_its_traceback(runner_of):
    class Buggy(Toy):
        def loss_critic(self, inputs, data_samples, shared):
            return dict(gap=inputs['ir'].mean())

    error = stop(runner_of(Buggy(), STAGES), KeyError, 'ir')
    assert type(error) is KeyError
    assert "rehearsal of stage 'joint'" in error.__notes__[0]


@pytest.fixture
def one_process(tmp_path):
    """A job of several processes, of which there is one.

    Wrapped models must be gone when it ends: a data loader's worker, forked later, would collect
    them, and end the group a second time, which waits for threads that a fork does not have.
    """
    store = f'file://{tmp_path}/store'
    torch.distributed.init_process_group('gloo', init_method=store, rank=0, world_size=1)
    yield
    gc.collect()
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize(
    ('model', 'wrapper', 'wanted'),
    [
        (Toy, ReIDDistributedDataParallel, 'mmvireid.ReIDSeparateDistributedDataParallel'),
        (Plain, ReIDSeparateDistributedDataParallel, 'mmvireid.ReIDDistributedDataParallel'),
    ],
)
def test_the_wrapper_of_the_other_kind_of_method_is_named(
    model, wrapper, wanted, runner_of, one_process
):
    runner = runner_of(model(), STAGES if model is Toy else None)
    runner.model = wrapper(runner.model)
    message = (
        f"`model_wrapper_cfg.type` is {wrapper.__name__}, expected '{wanted}': {model.__name__}"
    )
    stop(runner, ValueError, message)
