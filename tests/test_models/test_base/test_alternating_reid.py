import contextlib
import copy
import itertools

import pytest
import torch
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.optim import AmpOptimWrapper, OptimWrapper, build_optim_wrapper
from mmengine.runner import Runner
from torch import nn

from mmvireid.datasets import reid_collate
from mmvireid.models.base import AlternatingReID, Stage
from mmvireid.models.base.alternating_reid import gradient_norm

ADAM = dict(type='Adam', lr=0.01)
SGD = dict(type='SGD', lr=0.05, momentum=0.9)
OPTIMISERS = dict(
    constructor='AlternatingOptimWrapperConstructor',
    critic=dict(modules=['critic'], optimizer=ADAM),
    generator=dict(modules=['generator'], optimizer=ADAM),
    classifier=dict(modules=['classifier'], optimizer=SGD),
)


class Toy(AlternatingReID):
    """Infrared images are made from visible ones, judged by a critic, and classified."""

    updates = dict(critic=('critic',), generator=('generator', 'classifier'))

    def __init__(self):
        super().__init__(loss_weights=dict(real=1.0, fake=0.5, fool=0.3, identity=2.0))
        self.generator = nn.Sequential(nn.Linear(24, 24), nn.BatchNorm1d(24))
        self.critic = nn.Sequential(nn.Linear(24, 8), nn.ReLU(), nn.Linear(8, 1))
        self.classifier = nn.Linear(24, 3)

    def loss_critic(self, inputs, data_samples, shared):
        fake = self.generator(inputs['visible'].flatten(1))
        shared['seen'] = fake.detach()
        return dict(
            real=F.softplus(-self.critic(inputs['infrared'].flatten(1))).mean(),
            fake=F.softplus(self.critic(fake)).mean(),
        )

    def loss_generator(self, inputs, data_samples, shared):
        assert not shared['seen'].requires_grad
        fake = self.generator(inputs['visible'].flatten(1))
        labels = self.gt_labels(data_samples)[: len(fake)]
        return dict(
            fool=F.softplus(-self.critic(fake)).mean(),
            identity=F.cross_entropy(self.classifier(fake), labels),
        )

    def extract(self, inputs):
        return torch.cat([images.flatten(1) for images in inputs.values()])


@pytest.fixture
def toy():
    torch.manual_seed(0)
    return Toy()


@pytest.fixture
def batch(training_batch):
    return training_batch(3, 2, size=(4, 2))


def handwritten(toy, batch, iterations, critic_steps=1, max_norm=float('inf')):
    """The textbook loop: gradients are cleared before every backward pass."""
    data = toy.data_preprocessor(batch)['inputs']
    visible, infrared = data['visible'].flatten(1), data['infrared'].flatten(1)
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    critic = torch.optim.Adam(toy.critic.parameters(), lr=0.01)
    generator = torch.optim.Adam(toy.generator.parameters(), lr=0.01)
    classifier = torch.optim.SGD(toy.classifier.parameters(), lr=0.05, momentum=0.9)
    for _ in range(iterations):
        for _ in range(critic_steps):
            toy.zero_grad()
            loss = F.softplus(-toy.critic(infrared)).mean()
            loss = loss + 0.5 * F.softplus(toy.critic(toy.generator(visible).detach())).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(toy.critic.parameters(), max_norm)
            critic.step()
        toy.zero_grad()
        fake = toy.generator(visible)
        loss = 0.3 * F.softplus(-toy.critic(fake)).mean()
        loss = loss + 2.0 * F.cross_entropy(toy.classifier(fake), labels)
        loss.backward()
        for network in (toy.generator, toy.classifier):
            nn.utils.clip_grad_norm_(network.parameters(), max_norm)
        generator.step()
        classifier.step()
    return toy.state_dict()


def build(toy, **everywhere):
    """The toy's optimisers, with the same settings added to each."""
    entries = copy.deepcopy(OPTIMISERS)
    for name in ('critic', 'generator', 'classifier'):
        entries[name] |= copy.deepcopy(everywhere)
    return build_optim_wrapper(toy, entries)


def alternating(toy, batch, iterations, **everywhere):
    wrapper = build(toy, **everywhere)
    for _ in range(iterations):
        toy.train_step(batch, wrapper)
    return toy.state_dict()


def assert_same(found, expected):
    assert set(found) == set(expected)
    for key, value in found.items():
        assert torch.equal(value, expected[key]), key


def test_five_iterations_equal_a_handwritten_loop_bit_for_bit(toy, batch):
    expected = handwritten(copy.deepcopy(toy), batch, 5)
    assert_same(alternating(toy, batch, 5), expected)


def test_an_update_that_is_listed_twice_runs_twice(toy, batch):
    once = handwritten(copy.deepcopy(toy), batch, 3)
    expected = handwritten(copy.deepcopy(toy), batch, 3, critic_steps=2)
    toy.enter_stage(Stage('one', updates=('critic', 'critic', 'generator')))
    found = alternating(toy, batch, 3)
    assert_same(found, expected)
    assert not torch.allclose(found['critic.0.weight'], once['critic.0.weight'], atol=1e-3)


def test_every_optimiser_clips_its_own_gradients(toy, batch):
    # MMEngine would log one norm for all three, and wait for the GPU to get it
    hub = MessageHub.get_instance('clipping')
    assert MessageHub.get_current_instance() is hub
    expected = handwritten(copy.deepcopy(toy), batch, 5, max_norm=0.05)
    clipped = alternating(copy.deepcopy(toy), batch, 5, clip_grad=dict(max_norm=0.05))
    assert_same(clipped, expected)
    assert not hub.log_scalars
    free = alternating(toy, batch, 5)
    assert not torch.allclose(clipped['classifier.weight'], free['classifier.weight'], atol=1e-3)


def test_autocast_stays_close_to_float32(toy, batch):
    def losses(network, **everywhere):
        wrapper = build(network, **everywhere)
        logs = [network.train_step(batch, wrapper) for _ in range(20)]
        return torch.stack(
            [torch.stack([log['critic/loss'], log['generator/loss']]) for log in logs]
        )

    twin, dtypes = copy.deepcopy(toy), set()
    for network in (toy.generator[0], toy.critic, toy.classifier):
        network.register_forward_hook(lambda *outputs: dtypes.add(outputs[-1].dtype))
    low, full = losses(toy, type='AutocastOptimWrapper'), losses(twin)
    assert dtypes == {torch.bfloat16}
    torch.testing.assert_close(low, full, rtol=0.05, atol=0)
    assert not torch.equal(low, full)
    assert low[-1, 1] < 0.5 * low[0, 1]  # it learns to classify


def test_without_the_guard_the_critic_takes_foreign_gradients_along(toy, batch, monkeypatch):
    expected = handwritten(copy.deepcopy(toy), batch, 5)
    guard = 'mmvireid.models.base.alternating_reid.gradients_only_for'
    monkeypatch.setattr(guard, lambda *_: contextlib.nullcontext())
    differs = {
        key.split('.')[0]
        for key, value in alternating(toy, batch, 5).items()
        if not torch.allclose(value.float(), expected[key].float(), atol=1e-3)
    }
    assert 'critic' in differs


def test_the_guard_gives_back_what_it_took_also_after_an_error(toy, batch):
    wrapper = build(toy)
    toy.enter_stage(Stage('one', frozen=('classifier',)))
    before = {name: parameter.requires_grad for name, parameter in toy.named_parameters()}
    toy.loss_generator = lambda *_, **__: 1 / 0
    with pytest.raises(ZeroDivisionError):
        toy.train_step(batch, wrapper)
    assert {name: p.requires_grad for name, p in toy.named_parameters()} == before


def test_updates_of_a_stage_run_in_its_order_and_are_logged(toy, batch):
    wrapper = build(toy)
    logs = toy.train_step(batch, wrapper)
    assert list(logs) == [
        'critic/loss', 'critic/loss_real', 'critic/loss_fake', 'critic/critic.grad_norm',
        'generator/loss', 'generator/loss_fool', 'generator/loss_identity',
        'generator/generator.grad_norm', 'generator/classifier.grad_norm',
    ]  # fmt: skip
    assert torch.equal(logs['critic/loss'], logs['critic/loss_real'] + logs['critic/loss_fake'])
    toy.enter_stage(Stage('one', updates=('critic',)))
    before = copy.deepcopy(toy.state_dict())
    assert {key.split('/')[0] for key in toy.train_step(batch, wrapper)} == {'critic'}
    after = toy.state_dict()
    parameters = {name for name, _ in toy.named_parameters()}
    moved = {key for key in parameters if not torch.equal(before[key], after[key])}
    assert {key.split('.')[0] for key in moved} == {'critic'}


def test_the_terms_of_all_updates_together(toy, batch):
    terms = toy(**toy.data_preprocessor(batch), mode='loss')
    assert set(terms) == {'loss_real', 'loss_fake', 'loss_fool', 'loss_identity'}


def test_an_unknown_update_is_named(toy):
    toy.check_stage(Stage('x', updates=('generator', 'critic')))
    with pytest.raises(ValueError, match=r"`updates` of stage 'x' has \['critics'\], expected"):
        toy.check_stage(Stage('x', updates=('critics',)))
    with pytest.raises(ValueError, match="`updates` of stage 'x' is empty, expected some of"):
        toy.check_stage(Stage('x', updates=()))


@pytest.mark.parametrize('max_norm', [None, 1e-3])
def test_gradient_norms_are_those_before_clipping(max_norm, toy, batch):
    twin = copy.deepcopy(toy)
    clip = dict(clip_grad=dict(max_norm=max_norm)) if max_norm else {}
    logs = toy.train_step(batch, build(toy, **clip))
    data, shared = twin.data_preprocessor(batch), {}
    sum(twin.weigh(twin.loss_critic(**data, shared=shared)).values()).backward()
    norms = {'critic/critic': flat_norm(twin.critic)}
    twin.critic.load_state_dict(toy.critic.state_dict())  # what the generator then met
    twin.zero_grad()
    sum(twin.weigh(twin.loss_generator(**data, shared=shared)).values()).backward()
    norms['generator/generator'] = flat_norm(twin.generator)
    norms['generator/classifier'] = flat_norm(twin.classifier)
    for key, norm in norms.items():
        torch.testing.assert_close(logs[f'{key}.grad_norm'], norm)


def flat_norm(network):
    return torch.cat([p.grad.flatten() for p in network.parameters()]).norm()


def test_loss_scaling_is_taken_out_of_a_gradient_norm():
    class Scaled(AmpOptimWrapper):
        """MMEngine's own refuses machines without a GPU."""

        def __init__(self, optimizer):
            OptimWrapper.__init__(self, optimizer)
            self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=1024.0)

    layer = nn.Linear(3, 2)
    plain, scaled = (
        wrapper(torch.optim.SGD(layer.parameters(), lr=0.1)) for wrapper in (OptimWrapper, Scaled)
    )
    norms = []
    for wrapper in (plain, scaled):
        layer.zero_grad()
        wrapper.backward(layer(torch.ones(4, 3)).square().sum())
        norms.append(gradient_norm(wrapper))
    torch.testing.assert_close(*norms)
    layer.weight.grad[0] = torch.inf
    assert not gradient_norm(scaled).isfinite()
    layer.zero_grad()
    assert gradient_norm(scaled) == 0  # nothing has a gradient


class Rates(Hook):
    """The learning rates that every iteration uses."""

    def __init__(self):
        self.rows = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        rates = runner.optim_wrapper.get_lr()
        self.rows.append({key: rate[0] for key, rate in rates.items() if 'base' not in key})


@pytest.fixture
def train(training_batch, tmp_path):
    """``train(resume)``: four epochs of two iterations, in two stages; weights and rates."""
    number = itertools.count()

    def call(resume=None):
        torch.manual_seed(0)
        batch = training_batch(3, 4, size=(4, 2))
        rows = [
            dict(inputs=image, data_samples=sample)
            for image, sample in zip(batch['inputs'], batch['data_samples'])
        ]
        stages = [
            dict(name='one', end=2, updates=['critic'], loss_weights=dict(fake=1.0)),
            dict(name='two', frozen=['classifier'], updates=['critic', 'critic', 'generator']),
        ]
        runner = Runner(
            model=Noisy(),
            work_dir=str(tmp_path),
            train_dataloader=dict(
                dataset=rows[::2] + rows[1::2],  # a half of each identity and modality
                batch_size=12,
                sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=reid_collate,
            ),
            train_cfg=dict(by_epoch=True, max_epochs=4),
            optim_wrapper=copy.deepcopy(OPTIMISERS),
            param_scheduler=dict(
                critic=[dict(type='MultiStepLR', milestones=[1], gamma=0.1)],
                generator=[dict(type='LinearLR', start_factor=0.5, end=3, by_epoch=False)],
                classifier=[],
            ),
            default_hooks=dict(
                stage=dict(type='StageHook', stages=stages),
                checkpoint=dict(type='CheckpointHook', interval=1),
                logger=None,
            ),
            custom_hooks=[dict(type='PlainCheckpointHook'), dict(type='IterationSeedHook')],
            load_from=resume and str(tmp_path / resume),
            resume=resume is not None,
            randomness=dict(seed=0),
            experiment_name=f'{tmp_path.name}_{next(number)}',
            default_scope='mmvireid',
            log_level='ERROR',
        )
        rates = Rates()
        runner.register_hook(rates)
        runner.train()
        return runner.model.state_dict(), rates.rows

    return call


class Noisy(Toy):
    """Draws random numbers, as dropout and sampled codes do."""

    def loss_critic(self, inputs, data_samples, shared):
        noisy = {key: images + torch.randn_like(images) for key, images in inputs.items()}
        return super().loss_critic(noisy, data_samples, shared)


def test_schedules_move_only_their_optimiser(train):
    rows = train()[1]
    assert [row['classifier.lr'] for row in rows] == [0.05] * 8
    assert [row['critic.lr'] for row in rows] == pytest.approx([0.01] * 2 + [0.001] * 6)
    factors = [0.5, 0.75] + [1.0] * 6
    assert [row['generator.lr'] for row in rows] == pytest.approx([0.01 * f for f in factors])


def test_a_resumed_run_equals_a_straight_one_bit_for_bit(train):
    straight, rates = train()
    for done in (1, 2, 3):  # within the first stage, at its end, within the second
        resumed, later_rates = train(f'epoch_{done}.pth')
        assert_same(resumed, straight)
        assert later_rates == rates[2 * done :]


def test_an_update_that_lacks_what_another_leaves_is_named(toy, batch):
    toy.loss_generator = lambda inputs, data_samples, shared: dict(fool=shared['logits'].mean())
    wrapper = build_optim_wrapper(toy, copy.deepcopy(OPTIMISERS))
    with pytest.raises(KeyError, match="needs 'logits', which none before it has left"):
        toy.train_step(batch, wrapper)


def test_an_update_without_a_weighted_term_is_named(toy, batch):
    wrapper = build_optim_wrapper(toy, copy.deepcopy(OPTIMISERS))
    toy.enter_stage(Stage('one', loss_weights=dict(real=0.0, fake=0.0)))
    with pytest.raises(ValueError, match="no term of update 'critic' .* in stage 'one'"):
        toy.train_step(batch, wrapper)
