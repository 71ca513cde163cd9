import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.optim import AmpOptimWrapper, OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from mmvireid.engine.hooks import FiniteLossHook
from mmvireid.models.base import AlternatingReID

CONFIG = Path(__file__).parents[3] / 'configs/dgvae/dgvae_synthetic.py'
NAN, INF = math.nan, math.inf


class Spoil(Hook):
    """Make the reconstruction loss infinite from one iteration on."""

    def __init__(self, at):
        self.at = at

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.at:
            loss = runner.model.losses['reconstruction']
            loss.register_forward_hook(lambda *_: torch.tensor(INF, requires_grad=True))
            self.names = [sample.name for sample in data_batch['data_samples']]


def test_training_stops_with_all_that_may_tell_why(shrink):
    cfg = shrink(str(CONFIG))
    cfg.default_hooks.checkpoint.max_keep_ckpts = -1
    runner = Runner.from_cfg(cfg)
    spoil = Spoil(at=3)
    runner.register_hook(spoil)
    with pytest.raises(RuntimeError) as error:
        runner.train()
    message = str(error.value)
    assert '`vae/loss_reconstruction` is inf in iteration 4 (epoch 2)' in message
    assert 'Checkpoints from before iteration 4 are sound' in message
    assert f'Images of the batch: {", ".join(spoil.names)}.' in message
    for name in ('loss_cycle', 'largest_identity_log_var', 'largest_ambiguous_log_var'):
        value = message.split(f'vae/{name} ')[1].split()[0].rstrip(',.')
        assert math.isfinite(float(value)), name
    # the checkpoint of the last good epoch is the newest, and whole
    checkpoints = sorted(path.name for path in Path(cfg.work_dir).glob('*.pth'))
    assert checkpoints == ['epoch_1.pth']
    weights = torch.load(Path(cfg.work_dir, 'epoch_1.pth'), weights_only=True)['state_dict']
    assert all(torch.isfinite(value).all() for value in weights.values())


@pytest.fixture
def run():
    """``run(hook, key=[values])``: iteration after iteration; the message it stops with, if any."""

    def call(hook, optim_wrapper=None, **series):
        runner = SimpleNamespace(
            message_hub=MessageHub('finite'),  # a fresh one
            optim_wrapper=optim_wrapper,
            epoch=0,
        )
        for runner.iter, values in enumerate(zip(*series.values())):
            outputs = dict(zip(series, values))
            for key, value in outputs.items():
                runner.message_hub.update_scalar(f'train/{key}', value)
            try:
                hook.after_train_iter(runner, 0, outputs=outputs)
            except RuntimeError as error:
                return str(error)
        return None

    return call


@pytest.mark.parametrize(
    ('patience', 'values', 'stops'),
    [
        (1, [1.0, NAN, 1.0], 2),
        (3, [NAN, NAN, 1.0, NAN, INF, 1.0], None),  # never three in a row
        (3, [1.0, NAN, INF, NAN, NAN], 4),
        (2, [INF, NAN], 2),
        (2, [INF], None),
    ],
)
def test_patience_counts_iterations_in_a_row(patience, values, stops, run):
    message = run(FiniteLossHook(patience), loss_a=values, loss_b=[0.5] * len(values))
    if stops is None:
        assert message is None
    else:
        assert f'`loss_a` is {values[stops - 1]} in iteration {stops} (epoch 1)' in message
        assert f'before iteration {stops - patience + 1} are sound' in message
        assert (f'in the {patience - 1} before' in message) == (patience > 1)


def test_two_values_that_take_turns_are_not_in_a_row(run):
    assert run(FiniteLossHook(2), loss_a=[NAN, 1.0] * 3, loss_b=[1.0, NAN] * 3) is None


def test_a_gradient_norm_may_overflow_only_under_loss_scaling(run):
    key = {'adversarial/critic.grad_norm': [1.0, INF]}
    scaled = dict(critic=AmpOptimWrapper.__new__(AmpOptimWrapper))
    plain = dict(critic=OptimWrapper.__new__(OptimWrapper))
    assert run(FiniteLossHook(), scaled, **key) is None
    assert '`adversarial/critic.grad_norm` is inf' in run(FiniteLossHook(), plain, **key)
    assert '`loss_real` is nan' in run(FiniteLossHook(), scaled, **key, loss_real=[1.0, NAN])


@pytest.mark.parametrize(('name', 'value', 'least'), [('patience', 0, 1), ('max_skips', -1, 0)])
def test_a_count_that_is_too_small_is_named(name, value, least):
    message = f'FiniteLossHook: `{name}` is {value}, expected at least {least}'
    with pytest.raises(ValueError, match=message):
        FiniteLossHook(**{name: value})


class Poison(Hook):
    """Spoil the toy model in some iterations: its input, or only a gradient."""

    priority = 'LOWEST'

    def __init__(self, *iterations, only_gradient=False):
        self.iterations, self.only_gradient = iterations, only_gradient

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        layers = runner.model.layers
        if runner.iter not in self.iterations:
            self.handle = None
        elif self.only_gradient:
            self.handle = layers[0].weight.register_hook(lambda gradient: gradient * INF)
        else:  # passes through the batch norm and its statistics
            self.handle = layers.register_forward_pre_hook(lambda _, inputs: (inputs[0] * NAN,))

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if self.handle:
            self.handle.remove()


class LeaveOut(Hook):
    """The reference: some iterations do nothing at all."""

    def __init__(self, *iterations):
        self.iterations = iterations

    def before_train(self, runner):
        train_step = runner.model.train_step
        runner.model.train_step = lambda *args, **kwargs: (
            dict(loss=torch.tensor(0.0))
            if runner.iter in self.iterations
            else train_step(*args, **kwargs)
        )


OPTIMIZERS = [
    dict(type='Adam', lr=0.01, weight_decay=0.1, fused=True),
    dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.1),
]


@pytest.fixture
def train(toy_runner):
    """``train('name', hooks)``: the state at the end, and the error that it ended with."""

    def call(name, *hooks, optimizer=None, **settings):
        runner = toy_runner(name, hooks, **settings)
        if optimizer:
            runner.optim_wrapper['optimizer'] = optimizer
        error = None
        try:
            runner.train()
        except RuntimeError as raised:
            error = str(raised)
        state = dict(runner.model.state_dict())
        for index, values in runner.optim_wrapper.state_dict()['state'].items():
            state |= {f'{index}.{key}': value for key, value in values.items()}
        return SimpleNamespace(runner=runner, state=state, error=error)

    return call


@pytest.mark.parametrize('optimizer', OPTIMIZERS, ids=lambda optimizer: optimizer['type'])
@pytest.mark.parametrize('only_gradient', [True, False])
def test_a_skipped_step_leaves_nothing_behind(only_gradient, optimizer, train):
    poison = Poison(5, 6, only_gradient=only_gradient)
    skipped = train('skipped', FiniteLossHook(max_skips=2), poison, optimizer=optimizer)
    expected = train('expected', LeaveOut(5, 6), optimizer=optimizer)
    assert skipped.error is None
    assert len(expected.state) > len(expected.runner.model.state_dict())  # momenta too
    assert skipped.state.keys() == expected.state.keys()
    for key, value in expected.state.items():
        assert torch.equal(value, skipped.state[key]), key
    assert skipped.runner.message_hub.get_info('skipped_steps') == 2


def test_every_skip_is_logged(toy_runner, monkeypatch):
    runner = toy_runner('logged', [FiniteLossHook(max_skips=3), Poison(5, 6)])
    lines = []
    monkeypatch.setattr(runner.logger, 'warning', lines.append)
    runner.train()
    first, second = (line for line in lines if 'FiniteLossHook' in line)
    assert '`loss_identity` is nan in iteration 6 (epoch 2)' in first
    assert 'Skipped: the step of optimizer (1 of 3)' in first
    assert 'Skipped: the step of optimizer (2 of 3)' in second
    assert '.png' in first


def test_one_bad_step_too_many_stops_with_sound_weights(train):
    stopped = train('stopped', FiniteLossHook(max_skips=2), Poison(1, 5, 6, 8))
    assert '`loss_identity` is nan in iteration 7 (epoch 2)' in stopped.error
    assert 'All of 2 skips are used up. Checkpoints from before iteration 7' in stopped.error
    epochs = dict(type='ResumableTrainLoop', max_epochs=2)
    expected = train('expected', LeaveOut(1, 5, 6, 7), train_cfg=epochs)
    for key, value in expected.state.items():
        assert torch.equal(value, stopped.state[key]), key


def test_a_resumed_run_counts_on(train, tmp_path):
    straight = train('straight', FiniteLossHook(max_skips=2), Poison(1, 5))
    assert straight.error is None
    checkpoint = tmp_path / 'straight/epoch_1.pth'
    resumed = train('resumed', FiniteLossHook(max_skips=2), Poison(1, 5), resume=checkpoint)
    assert resumed.runner.message_hub.get_info('skipped_steps') == 2
    for key, value in straight.state.items():
        assert torch.equal(value, resumed.state[key]), key
    third = train('third', FiniteLossHook(max_skips=2), Poison(1, 5, 7), resume=checkpoint)
    assert 'in iteration 8 (epoch 2)' in third.error


def test_a_gradient_alone_stops_at_once_whatever_the_patience(train):
    poison = Poison(5, only_gradient=True)
    stopped = train('stopped', FiniteLossHook(patience=3), poison)
    assert 'the gradient of `layers.0.weight` is inf in iteration 6 (epoch 2)' in stopped.error
    assert 'Checkpoints from before iteration 6 are sound' in stopped.error
    assert 'in the 2 before' not in stopped.error


class Pair(AlternatingReID):
    """Two networks of two layers each; an update for both, or one for each."""

    def __init__(self, updates):
        super().__init__(loss_weights=dict(left=1.0, right=1.0))
        self.updates = updates
        self.left = nn.Sequential(nn.Linear(1, 2), nn.Linear(2, 1, bias=False))
        self.right = nn.Sequential(nn.Linear(1, 2), nn.Linear(2, 1, bias=False))

    def loss_left(self, inputs, data_samples, shared):
        return dict(left=self.left(torch.ones(1, 1)).square().mean())

    def loss_right(self, inputs, data_samples, shared):
        return dict(right=self.right(torch.ones(1, 1)).square().mean())

    def loss_both(self, *args, **kwargs):
        return self.loss_left(*args, **kwargs) | self.loss_right(*args, **kwargs)

    extract = None


APART = dict(left=('left',), right=('right',))


@pytest.fixture
def pair(training_batch):
    """``pair(hook, updates)``: a runner's stand-in; its ``iterate()`` is one iteration."""

    def build(hook, updates):
        torch.manual_seed(0)
        model = Pair(updates)
        wrappers = OptimWrapperDict(
            left=OptimWrapper(torch.optim.Adam(model.left.parameters(), lr=0.1)),
            right=OptimWrapper(torch.optim.SGD(model.right.parameters(), lr=0.1, momentum=0.9)),
        )
        hub = MessageHub('pair')
        lines = []
        runner = SimpleNamespace(
            model=model,
            optim_wrapper=wrappers,
            message_hub=hub,
            epoch=0,
            iter=0,
            lines=lines,
            logger=SimpleNamespace(warning=lines.append),
        )

        def iterate():
            batch = training_batch(size=(2, 1))
            hook.before_train_iter(runner, 0, batch)
            outputs = model.train_step(batch, wrappers)
            for key, value in outputs.items():
                hub.update_scalar(f'train/{key}', value)
            hook.after_train_iter(runner, 0, batch, outputs)
            runner.iter += 1

        runner.iterate = iterate
        hook.before_train(runner)
        return runner

    return build


def snapshot(runner) -> dict:
    """All weights, and all that the optimisers remember."""
    state = {key: value.clone() for key, value in runner.model.state_dict().items()}
    for name, wrapper in runner.optim_wrapper.items():
        for index, values in wrapper.optimizer.state_dict()['state'].items():
            state |= {f'{name}.{index}.{key}': value.clone() for key, value in values.items()}
    return state


@pytest.mark.parametrize('bad', ['left', 'right'])
@pytest.mark.parametrize('updates', [dict(both=('left', 'right')), APART], ids=['joint', 'apart'])
def test_steps_of_one_backward_pass_are_skipped_together(updates, bad, pair):
    runner = pair(FiniteLossHook(max_skips=1), updates)
    runner.iterate()
    before = snapshot(runner)
    spoil = getattr(runner.model, bad)[0].weight.register_hook(lambda gradient: gradient * NAN)
    runner.iterate()
    after = snapshot(runner)
    moved = {key.split('.')[0] for key in before if not torch.equal(before[key], after[key])}
    joint = 'both' in updates
    assert moved == (set() if joint else {'left', 'right'} - {bad})
    owners = 'left and right' if joint else bad
    assert [f'Skipped: the step of {owners} (1 of 1)' in line for line in runner.lines] == [True]
    spoil.remove()
    runner.iterate()
    gone_on = snapshot(runner)
    assert not any(torch.equal(after[key], gone_on[key]) for key in runner.model.state_dict())


def test_a_later_step_does_not_hide_what_was_wrong_in_a_skipped_one(pair):
    runner = pair(FiniteLossHook(max_skips=1), dict(left=('left',), both=('left', 'right')))
    factors = iter([NAN, 1.0])
    runner.model.left[1].weight.register_hook(lambda gradient: gradient * next(factors))
    runner.iterate()
    assert '6 gradients, of which 1 are not finite: left.1.weight nan, ' in runner.lines[0]
    assert 'Skipped: the step of left (1 of 1)' in runner.lines[0]


def test_the_worst_gradients_are_named_by_size(pair):
    runner = pair(FiniteLossHook(), APART)
    # the size of each gradient is known: 7 and 5 in one layer, nothing but a NaN in another
    left, right = runner.model.left, runner.model.right
    left[0].weight.register_hook(lambda gradient: torch.full_like(gradient, 7.0))
    left[1].weight.register_hook(lambda gradient: torch.full_like(gradient, 5.0))
    left[0].bias.register_hook(torch.zeros_like)
    right[0].weight.register_hook(lambda gradient: gradient * NAN)
    right[1].weight.register_hook(lambda gradient: gradient * INF)
    with pytest.raises(RuntimeError) as error:
        runner.iterate()
    message = str(error.value)
    shown = message.split('are not finite: ')[1].split('. Checkpoints')[0].split(', ')
    assert '6 gradients, of which 2 are not finite' in message
    assert shown[:2] == ['right.1.weight inf', 'right.0.weight nan']
    finite = {row.split()[0]: float(row.split()[1]) for row in shown[2:]}
    assert finite['left.0.weight'] == pytest.approx(7 * math.sqrt(2), abs=0.01)
    assert finite['left.1.weight'] == pytest.approx(5 * math.sqrt(2), abs=0.01)
    assert list(finite.values()) == sorted(finite.values(), reverse=True)


def watched(hook, wrapper_type=OptimWrapper, device='cpu'):
    """A network whose optimiser the hook watches, after a backward pass."""
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1)).to(device)
    wrapper = wrapper_type.__new__(wrapper_type)  # one that scales losses needs a GPU
    wrapper.optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    runner = SimpleNamespace(model=network, optim_wrapper=wrapper, iter=0, epoch=0)
    hook.before_train(runner)
    hook.before_train_iter(runner, 0)
    network(torch.ones(1, 2, device=device)).sum().backward()
    return runner


@pytest.mark.parametrize(('max_skips', 'waits'), [(0, False), (1, True)])
def test_only_a_skip_waits_for_the_device_before_a_step(max_skips, waits):
    # a tensor on the meta device has no values: whoever reads one raises
    runner = watched(FiniteLossHook(max_skips=max_skips), device='meta')
    if waits:
        with pytest.raises(RuntimeError, match='meta tensors'):
            runner.optim_wrapper.optimizer.step()
    else:
        runner.optim_wrapper.optimizer.step()


class Reads(TorchDispatchMode):
    """Counts the numbers that are read from tensors."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **kwargs or {})


def test_after_a_sound_step_one_number_is_read(monkeypatch):
    runner = watched(hook := FiniteLossHook())
    runner.optim_wrapper.optimizer.step()
    monkeypatch.setattr(torch.Tensor, 'tolist', None)
    monkeypatch.setattr(torch.Tensor, 'cpu', None)
    with Reads() as reads:
        hook.after_train_iter(runner, 0, outputs={})
    assert reads.count == 1


@pytest.mark.parametrize('max_skips', [0, 1])
def test_gradients_under_loss_scaling_are_left_alone(max_skips):
    runner = watched(hook := FiniteLossHook(max_skips=max_skips), AmpOptimWrapper)
    gradient = runner.model[0].weight.grad.fill_(NAN)
    runner.optim_wrapper.optimizer.step()
    hook.after_train_iter(runner, 0, outputs={})
    assert runner.model[0].weight.grad is gradient


def test_after_the_training_nothing_is_watched():
    runner = watched(hook := FiniteLossHook(max_skips=1))
    hook.after_train(runner)
    gradient = runner.model[0].weight.grad.fill_(NAN)
    runner.optim_wrapper.optimizer.step()
    assert runner.model[0].weight.grad is gradient


class Gradients(Hook):
    """The norm of all gradients before each step, added up one by one."""

    def __init__(self):
        self.norms = []

    def before_train(self, runner):
        model = runner.model

        def measure(*_):
            squares = [float((p.grad.double() ** 2).sum()) for p in model.parameters()]
            self.norms.append(math.sqrt(sum(squares)))

        runner.optim_wrapper.optimizer.register_step_pre_hook(measure)


@pytest.mark.parametrize('max_skips', [0, 1])
def test_the_norm_of_a_plain_step_is_logged(max_skips, train):
    expected = Gradients()
    runner = train('norms', FiniteLossHook(max_skips=max_skips), expected).runner
    logged = runner.message_hub.log_scalars['train/grad_norm'].data[0]
    assert logged.tolist() == pytest.approx(expected.norms, rel=1e-5)
    assert len(logged) == runner.iter > 5


def test_a_norm_that_somebody_else_logs_is_left_to_them(toy_runner):
    runner = toy_runner('clipped', [FiniteLossHook()])
    runner.optim_wrapper['clip_grad'] = dict(max_norm=1e-3)
    runner.train()
    logged = runner.message_hub.log_scalars['train/grad_norm'].data[0]
    assert len(logged) == runner.iter and min(logged) > 1e-2  # MMEngine's, before clipping
