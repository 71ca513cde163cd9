import contextlib
import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmvireid.models.base import AlternatingReID, Stage

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


def handwritten(toy, batch, iterations):
    """The textbook loop: gradients are cleared before every backward pass."""
    data = toy.data_preprocessor(batch)['inputs']
    visible, infrared = data['visible'].flatten(1), data['infrared'].flatten(1)
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    critic = torch.optim.Adam(toy.critic.parameters(), lr=0.01)
    generator = torch.optim.Adam(toy.generator.parameters(), lr=0.01)
    classifier = torch.optim.SGD(toy.classifier.parameters(), lr=0.05, momentum=0.9)
    for _ in range(iterations):
        toy.zero_grad()
        loss = F.softplus(-toy.critic(infrared)).mean()
        loss = loss + 0.5 * F.softplus(toy.critic(toy.generator(visible).detach())).mean()
        loss.backward()
        critic.step()
        toy.zero_grad()
        fake = toy.generator(visible)
        loss = 0.3 * F.softplus(-toy.critic(fake)).mean()
        loss = loss + 2.0 * F.cross_entropy(toy.classifier(fake), labels)
        loss.backward()
        generator.step()
        classifier.step()
    return toy.state_dict()


def alternating(toy, batch, iterations):
    wrapper = build_optim_wrapper(toy, copy.deepcopy(OPTIMISERS))
    for _ in range(iterations):
        toy.train_step(batch, wrapper)
    return toy.state_dict()


def test_five_iterations_equal_a_handwritten_loop_bit_for_bit(toy, batch):
    expected = handwritten(copy.deepcopy(toy), batch, 5)
    for key, value in alternating(toy, batch, 5).items():
        assert torch.equal(value, expected[key]), key


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
    wrapper = build_optim_wrapper(toy, copy.deepcopy(OPTIMISERS))
    toy.enter_stage(Stage('one', frozen=('classifier',)))
    before = {name: parameter.requires_grad for name, parameter in toy.named_parameters()}
    toy.loss_generator = lambda *_, **__: 1 / 0
    with pytest.raises(ZeroDivisionError):
        toy.train_step(batch, wrapper)
    assert {name: p.requires_grad for name, p in toy.named_parameters()} == before


def test_updates_of_a_stage_run_in_its_order_and_are_logged(toy, batch):
    wrapper = build_optim_wrapper(toy, copy.deepcopy(OPTIMISERS))
    logs = toy.train_step(batch, wrapper)
    assert list(logs) == [
        'critic/loss', 'critic/loss_real', 'critic/loss_fake',
        'generator/loss', 'generator/loss_fool', 'generator/loss_identity',
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
