import copy
import itertools
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmvireid.models.batches import split_singles
from mmvireid.models.heads import Identification
from mmvireid.registry import MODELS

CONFIGS = Path(__file__).parents[3] / 'configs/hicmd'
SIZE = (48, 40)
DISCRIMINATORS = {'visible_discriminator', 'infrared_discriminator'}
ENCODERS = {
    f'{modality}_{kind}_encoder'
    for modality in ('visible', 'infrared')
    for kind in ('prototype', 'attribute')
}


@pytest.fixture
def build(tiny_model):
    """``build('hicmd_sysu.py')``: the config's model, tiny and without chance, and the config."""

    def call(name: str = 'hicmd_sysu.py', **options):
        cfg = Config.fromfile(CONFIGS / name)
        tiny_model(cfg.model, num_ids=4, input_size=SIZE, dropout=0.0)
        cfg.model.erasing.p = 0.0
        cfg.merge_from_dict(dict(model=options))
        torch.manual_seed(0)
        return MODELS.build(cfg.model).train(), cfg

    return call


@pytest.fixture
def batch(training_batch):
    return training_batch(4, 1, size=SIZE)


class Handwritten:
    """An iteration of Hi-CMD after the paper's equations, in plain PyTorch.

    Index 1 is visible, 2 infrared. An attribute code is one vector here: four blocks, each of
    style, pose and illumination in the ratio 2 : 1 : 1.
    """

    def __init__(self, net, lr):
        self.net = net.train()
        self.d = {1: net.visible_discriminator, 2: net.infrared_discriminator}
        self.p = {1: net.visible_prototype_encoder, 2: net.infrared_prototype_encoder}
        self.a = {1: net.visible_attribute_encoder, 2: net.infrared_attribute_encoder}
        encoders = [*self.p.values(), *self.a.values(), net.decoder]
        hfl = net.feature_module
        adam = dict(lr=1e-4, betas=(0.5, 0.999), weight_decay=1e-4, eps=EPS)
        self.d_step = torch.optim.Adam(self.parameters(*self.d.values()), **adam)
        self.g_step = torch.optim.Adam(self.parameters(*encoders), **adam)
        sgd = dict(lr=lr, momentum=0.9, nesterov=True, weight_decay=1e-4)
        rest = [p for name, p in hfl.named_parameters() if name != 'mix.weight']
        slow = dict(params=[hfl.mix.weight], lr=0.16 * lr)
        self.h_step = torch.optim.SGD([slow, dict(params=rest)], **sgd)

    @staticmethod
    def parameters(*modules):
        return [p for module in modules for p in module.parameters()]

    def encode(self, x, i):
        """p, a^s, a^c, a^p."""
        vector = self.a[i].extractor(x).mean((2, 3))
        blocks = vector.chunk(self.a[i].num_blocks, 1)
        s, q, c = [], [], []
        for block in blocks:
            quarter = block.shape[1] // 4
            s.append(block[:, : 2 * quarter])
            q.append(block[:, 2 * quarter : 3 * quarter])
            c.append(block[:, 3 * quarter :])
        return self.p[i](x), s, c, q

    def g(self, p, s, c, q):
        for block, *parts in zip(self.net.decoder.blocks, s, q, c):
            p = block(p, torch.cat(parts, 1))
        for layer in self.net.decoder.enlarge:
            p = layer(p)
        for layer in self.net.decoder.refine:
            p = F.leaky_relu(layer(p), 0.3)
        return self.net.decoder.to_image(p)

    def without_trace(self, function, *args):
        """Call it, and leave the running statistics as they were."""
        layers = [m for m in self.net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        kept = [dict(layer._buffers) for layer in layers]
        for layer in layers:
            layer._buffers.update({key: value.clone() for key, value in layer._buffers.items()})
        result = function(*args)
        for layer, buffers in zip(layers, kept):
            layer._buffers.update(buffers)
        return result

    @staticmethod
    def l1(a, b):
        return (a - b).abs().mean()

    def discriminators(self, x):
        with torch.no_grad():
            z = {i: self.without_trace(self.encode, x[i], i) for i in (1, 2)}
        loss = 0
        for i, j in ((1, 2), (2, 1)):
            (p, s, _, q), (_, _, c_i, q_i) = z[j], z[i]
            with torch.no_grad():
                fakes = [self.g(p, s, c_i, q_i), self.g(p, s, c_i, q)]
            real = x[i].clone().requires_grad_()
            for fake in fakes:
                for on_real, on_fake in zip(self.d[i](real), self.d[i](fake)):
                    loss = loss + ((on_real - 1) ** 2).mean() + (on_fake**2).mean()
                    slope = torch.autograd.grad(on_real.sum(), real, create_graph=True)[0]
                    loss = loss + 0.01 * (slope**2).sum((1, 2, 3)).mean()
        self.d_step.zero_grad()
        (20 * loss).backward()
        self.d_step.step()

    def generation(self, x):
        """Eq. 5, 6 and 7, and the fakes x_{j->i}."""
        z = {i: self.encode(x[i], i) for i in (1, 2)}
        fake, loss = {}, 0
        for i, j in ((1, 2), (2, 1)):
            (p, s, _, _), (_, _, c, q) = z[j], z[i]
            fake[i] = self.g(p, s, c, q)
            relit = self.g(p, s, c, z[j][3])
            loss = loss + 50 * self.l1(x[i], fake[i]) + 50 * self.l1(x[i], self.g(*z[i]))
            loss = loss + (torch.cat([*c, *q], 1) ** 2).mean()
            for image in (fake[i], relit):
                loss = loss + 20 * sum(((out - 1) ** 2).mean() for out in self.d[i](image))
        hat = {i: self.without_trace(self.encode, fake[i], i) for i in (1, 2)}
        for i, j in ((1, 2), (2, 1)):
            (p, s, _, _), (_, _, c, q) = hat[j], hat[i]
            loss = loss + 50 * self.l1(x[i], self.g(p, s, c, q))
            loss = loss + 10 * self.l1(torch.cat(z[i][1], 1), torch.cat(s, 1))
            loss = loss + 10 * self.l1(torch.cat([*z[i][2], *z[i][3]], 1), torch.cat([*c, *q], 1))
        return loss, fake

    def hfl(self, x, fake, y):
        """Eqs. 8 and 9 on eight combinations a pair."""
        z = {(i, 'real'): self.encode(x[i], i) for i in (1, 2)}
        for i in (1, 2):
            z[i, 'fake'] = self.without_trace(self.encode, fake[i].detach(), i)
        net, keys = self.net.feature_module, list(z)
        embedded = net.trunk(torch.cat([z[key][0] for key in keys])).mean((2, 3))
        p_d = dict(zip(keys, embedded.chunk(4)))
        alpha = net.mix.weight.sigmoid()
        combined = []
        for i in (1, 2):
            for one, two in itertools.product(('real', 'fake'), repeat=2):
                s = torch.cat(z[i, two][1], 1)
                parts = alpha * F.normalize(p_d[i, one]), (1 - alpha) * F.normalize(s)
                combined.append(torch.cat(parts, 1))
        f = net.head.norm(net.head.linear(torch.cat(combined)))
        y, total = y.repeat(8), 0
        unit = F.normalize(f)
        for anchor, label in zip(unit, y):
            d = (unit - anchor).square().sum(1).clamp(min=1e-12).sqrt()
            total = total + (0.5 + d[y == label].max() - d[y != label].min()).clamp(min=0)
        return F.cross_entropy(net.head.classifier(f), y) + total / len(y)

    def iteration(self, x, y):
        self.discriminators(x)
        loss, fake = self.generation(x)
        loss = loss + self.hfl(x, fake, y)
        self.g_step.zero_grad()
        self.h_step.zero_grad()
        loss.backward()
        self.g_step.step()
        self.h_step.step()


EPS = 0.1  # of Adam, which would otherwise blow rounding errors up to full steps


def test_three_iterations_equal_a_handwritten_loop(build, batch):
    model, cfg = build(attribute_encoder=dict(num_blocks=2))
    for name in ('discriminators', 'generation'):
        cfg.optim_wrapper[name].optimizer.eps = EPS
    twin = copy.deepcopy(model)
    handwritten = Handwritten(twin, lr=1e-3)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    inputs = model.data_preprocessor(batch)['inputs']
    start = copy.deepcopy(model.state_dict())
    for _ in range(3):
        model.train_step(batch, wrapper)
        handwritten.iteration({1: inputs['visible'], 2: inputs['infrared']}, torch.arange(4))
    expected = twin.state_dict()
    for key, ours in model.state_dict().items():
        torch.testing.assert_close(ours, expected[key], rtol=1e-3, atol=2e-5, msg=key)
    still = {key for key in start if torch.equal(start[key], expected[key])}
    assert not still


def test_an_update_moves_its_own_parts_alone_buffers_included(build, batch):
    model, cfg = build()
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    states = [copy.deepcopy(model.state_dict())]
    model.updates = dict(discriminators=model.updates['discriminators'])
    logs = model.train_step(batch, wrapper)
    states.append(copy.deepcopy(model.state_dict()))
    model.updates = {k: v for k, v in type(model).updates.items() if k != 'discriminators'}
    logs |= model.train_step(batch, wrapper)
    states.append(model.state_dict())
    moved = [
        {key.split('.')[0] for key in old if not torch.equal(old[key], new[key])}
        for old, new in itertools.pairwise(states)
    ]
    assert moved == [DISCRIMINATORS, {*ENCODERS, 'decoder', 'feature_module'}]
    assert {key.split('/')[0] for key in logs} == set(type(model).updates)
    assert logs['generation_reid/alpha'] == 0.5


def test_both_modalities_start_equal(build):
    state = build()[0].state_dict()
    for key, value in state.items():
        if key.startswith('visible_'):
            torch.testing.assert_close(value, state[key.replace('visible_', 'infrared_')])


def test_rates_of_the_release(build):
    model, cfg = build()
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    rates = {
        name: {group['lr'] for group in one.optimizer.param_groups} for name, one in wrapper.items()
    }
    assert rates == dict(discriminators={1e-4}, generation={1e-4}, reid={1e-3, 1.6e-4})
    # a step of the logit moves alpha as a step of 1e-5 moves a free scalar
    mix = model.feature_module.mix
    free = torch.tensor(0.5, requires_grad=True)
    free_gradient = torch.autograd.grad(3 * free, free)[0]
    gradient = torch.autograd.grad(3 * mix.alpha, mix.weight)[0]
    moved = (mix.weight - 1.6e-4 * gradient).sigmoid() - mix.alpha
    torch.testing.assert_close(moved, -1e-5 * free_gradient, rtol=0.01, atol=0)


class Prototypes(nn.Module):
    """Reads the first number of an image; adds who it is, and writes down what it is shown."""

    def __init__(self, own):
        super().__init__()
        self.own, self.shown = own, []

    def forward(self, images):
        self.shown.append([tuple(round(v, 3) for v in row.mean((1, 2)).tolist()) for row in images])
        return images[:, :1] + self.own


class Attributes(Prototypes):
    """Reads the other three."""

    def forward(self, images):
        super().forward(images)
        return tuple(images[:, k, :1, :1] + self.own for k in (1, 2, 3))


class Drawer(nn.Module):
    """An image of four numbers: prototype, style, pose and illumination."""

    def forward(self, codes):
        numbers = torch.cat([codes.prototype[:, 0, :1, :1], *codes[1:]], 1).flatten(1)
        return numbers[:, :, None, None].expand(-1, -1, 2, 2)


class Judge(nn.Module):
    """Writes down what it is shown; one logit of 0 per image, at two sizes."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def forward(self, images):
        self.shown.append([tuple(round(v, 3) for v in row.mean((1, 2)).tolist()) for row in images])
        zeros = 0 * images.mean((1, 2, 3))
        return zeros, zeros


class Collector(nn.Module):
    """Writes down the combinations."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def forward(self, prototypes, styles, prototype_rows, style_rows, groups=None):
        p, s = prototypes[prototype_rows].mean((1, 2, 3)), styles[style_rows].mean(1)
        self.shown += [(round(a, 3), round(b, 3)) for a, b in zip(p.tolist(), s.tolist())]
        rows = torch.stack([p, s], 1)
        return Identification(rows, rows, rows)


@pytest.fixture
def labelled(build):
    """A model of dummies: an image is four equal numbers, 10 or 11 if visible, 20 or 21 if not.

    Visible encoders add 0.01 to what they read, infrared ones 0.02: every number tells where it
    was read, and by whom.
    """

    def call(num_people=2, **options):
        model, _ = build(**options)
        for modality, own in (('visible', 0.01), ('infrared', 0.02)):
            setattr(model, f'{modality}_prototype_encoder', Prototypes(own))
            setattr(model, f'{modality}_attribute_encoder', Attributes(own))
            setattr(model, f'{modality}_discriminator', Judge())
        model.decoder, model.feature_module = Drawer(), Collector()
        numbers = torch.arange(num_people, dtype=torch.float32).view(-1, 1, 1, 1)
        images = numbers.expand(-1, 4, 2, 2)
        return model, dict(visible=images + 10, infrared=images + 20)

    return call


def people(*numbers):
    """The same for the second person."""
    return [tuple(numbers), tuple(round(number + 1, 3) for number in numbers)]


#: prototype, style, pose, illumination
FAKE_VISIBLE, FAKE_INFRARED = (20.02, 20.02, 10.01, 10.01), (10.01, 10.01, 20.02, 20.02)
RELIT_VISIBLE, RELIT_INFRARED = (20.02, 20.02, 20.02, 10.01), (10.01, 10.01, 10.01, 20.02)


def test_directions_of_the_swaps_and_who_encodes_and_judges_what(labelled):
    model, images = labelled()
    made = model.generation_terms(images)[1]
    pictures = {name: [tuple(row) for row in v[:, :, 0, 0].tolist()] for name, v in made.items()}
    for name, numbers in dict(
        fake_visible=FAKE_VISIBLE,
        fake_infrared=FAKE_INFRARED,
        relit_visible=RELIT_VISIBLE,
        relit_infrared=RELIT_INFRARED,
        visible=(10.01,) * 4,
        infrared=(20.02,) * 4,
    ).items():
        assert [pytest.approx(row) for row in people(*numbers)] == pictures[name], name
    for kind in ('prototype_encoder', 'attribute_encoder'):
        shown = getattr(model, f'visible_{kind}').shown
        assert shown == [people(10, 10, 10, 10), people(*FAKE_VISIBLE)]
        shown = getattr(model, f'infrared_{kind}').shown
        assert shown == [people(20, 20, 20, 20), people(*FAKE_INFRARED)]
    assert model.visible_discriminator.shown == [people(*FAKE_VISIBLE), people(*RELIT_VISIBLE)]
    assert model.infrared_discriminator.shown == [people(*FAKE_INFRARED), people(*RELIT_INFRARED)]


def test_discriminators_judge_the_same_fakes(labelled, batch):
    model, images = labelled()
    terms = model.loss_discriminators(images, [], {})
    real = people(10, 10, 10, 10)
    expected = [real, people(*FAKE_VISIBLE), people(*RELIT_VISIBLE)]
    assert model.visible_discriminator.shown == expected
    expected = [people(20, 20, 20, 20), people(*FAKE_INFRARED), people(*RELIT_INFRARED)]
    assert model.infrared_discriminator.shown == expected
    # logits of 0 are right for fakes, and off by 1 for real ones at both sizes; they are flat
    assert {key: value.item() for key, value in terms.items()} == dict(
        visible_real=2, visible_fake=0, visible_r1=0, infrared_real=2, infrared_fake=0,
        infrared_r1=0,
    )  # fmt: skip


def test_terms_by_hand(labelled):
    model, images = labelled()
    terms = {key: float(value) for key, value in model.generation_terms(images)[0].items()}
    # |10 - 20.02| twice and |10 - 10.01| twice; |20 - 10.01| and |20 - 20.02|
    cross = (10.02 * 2 + 0.01 * 2) / 4 + (9.99 * 2 + 0.02 * 2) / 4
    # read by the infrared encoders: 10.01 + 0.02, 20.02 + 0.02; by the visible ones: + 0.01
    cycle = (0.03 * 2 + 0.02 * 2) / 4 + (0.03 * 2 + 0.04 * 2) / 4
    code = (10.03 - 10.01) + (10.02 - 10.01) + (20.03 - 20.02) + (20.04 - 20.02)
    prior = (10.01**2 + 11.01**2) / 2 + (20.02**2 + 21.02**2) / 2
    expected = dict(cross=cross, same=0.03, cycle=cycle, code=code, prior=prior, adversarial=8)
    assert terms == pytest.approx(expected, rel=1e-4)


def test_the_released_reconstructions_are_switches(labelled):
    model, images = labelled(cycle='prototype', own_style=False)
    terms = {key: float(value) for key, value in model.generation_terms(images)[0].items()}
    # the partner's style: 20.02 for 10, 10.01 for 20
    assert terms['same'] == pytest.approx((10.02 + 0.03 + 9.99 + 0.06) / 4, rel=1e-4)
    expected = (0.03 + 10.02 + 0.02) / 4 + (0.03 + 9.99 + 0.04) / 4
    assert terms['cycle'] == pytest.approx(expected, rel=1e-4)


def fakes_of(made):
    """Fakes by the modality that they look like."""
    return {key: made[f'fake_{key}'] for key in ('visible', 'infrared')}


SOURCES = dict(visible=10.01, infrared=20.02, fake_visible=20.03, fake_infrared=10.03)
TABLES = dict(
    original=[('visible', 'visible'), ('infrared', 'infrared')],
    alternate=[
        ('visible', 'visible'), ('visible', 'fake_visible'),
        ('fake_visible', 'visible'), ('fake_visible', 'fake_visible'),
        ('infrared', 'infrared'), ('infrared', 'fake_infrared'),
        ('fake_infrared', 'infrared'), ('fake_infrared', 'fake_infrared'),
    ],
    all=list(itertools.product(SOURCES, repeat=2)),
)  # fmt: skip


@pytest.mark.parametrize('sampling', TABLES)
def test_combinations_of_codes(sampling, labelled):
    model, images = labelled(sampling=sampling)
    made = model.generation_terms(images)[1]
    model.identity_terms(images, fakes_of(made), torch.arange(2))
    expected = sorted(
        pair for one, two in TABLES[sampling] for pair in people(SOURCES[one], SOURCES[two])
    )
    assert sorted(model.feature_module.shown) == expected
    # each image is encoded once more, for all its combinations
    assert len(model.visible_prototype_encoder.shown) == (3 if sampling == 'original' else 4)


def test_unpaired_images_are_negatives(labelled):
    model, images = labelled(num_people=5, num_unpaired=1)
    for kind in ('identity', 'triplet'):
        model.losses[kind] = Recorder()
    pairs, with_singles = split_singles(images, 1)
    made = model.generation_terms(pairs)[1]
    assert len(made['fake_visible']) == 3
    model.identity_terms(with_singles, fakes_of(made), torch.tensor([7, 5, 6, 8, 9]))
    # the fourth person's visible image and the fifth one's infrared image
    assert model.feature_module.shown[-2:] == [(13.01, 13.01), (24.02, 24.02)]
    assert len(model.feature_module.shown) == 3 * 8 + 2
    (_, labels), (anchors, anchor_labels, _, all_labels) = (
        model.losses[kind].shown for kind in ('identity', 'triplet')
    )
    assert labels.tolist() == [7, 5, 6] * 8 + [8, 9] == all_labels.tolist()
    assert anchor_labels.tolist() == [7, 5, 6] * 8
    assert len(anchors) == 24


class BatchNormByHand:
    """Running statistics of a BatchNorm layer, from what passed through it, one pass at a time."""

    def __init__(self, layer):
        self.mean, self.var = layer.running_mean.clone(), layer.running_var.clone()
        self.passes = 0
        layer.register_forward_pre_hook(lambda _, inputs: self.see(inputs[0].detach()))

    def see(self, x):
        x = x.transpose(0, 1).flatten(1)
        self.mean = 0.9 * self.mean + 0.1 * x.mean(1)
        self.var = 0.9 * self.var + 0.1 * (x - x.mean(1, keepdim=True)).square().sum(1) / (
            x.shape[1] - 1
        )
        self.passes += 1


def hfl_in_groups(net, x, fake, y, alone):
    """Eqs. 8 and 9 as released: groups of pairs, or of single images, each in a pass of its own."""
    groups = {'V': x['visible'][:2], 'R': x['infrared'][:2]}
    groups |= {'v': alone['visible'], 'r': alone['infrared']}
    groups |= {'R>V': fake['visible'].detach(), 'V>R': fake['infrared'].detach()}
    p_d, s = {}, {}
    for key, images in groups.items():
        name = 'visible' if key in ('V', 'v', 'R>V') else 'infrared'
        codes = net.encode(images, name)
        p_d[key] = net.feature_module.trunk(codes.prototype).mean((2, 3))
        s[key] = codes.style.flatten(1)
    alpha, head, features = net.feature_module.mix.alpha, net.feature_module.head, []
    looks = (('V', 'R>V'), ('R', 'V>R'))
    rows = [pair for names in looks for pair in itertools.product(names, repeat=2)]
    for one, two in [*rows, ('v', 'v'), ('r', 'r')]:
        d = torch.cat([alpha * F.normalize(p_d[one]), (1 - alpha) * F.normalize(s[two])], 1)
        features.append(head.norm(head.linear(d)))
    f = torch.cat(features)
    labels = torch.cat([y[:2].repeat(8), y[2:]])
    unit, total = F.normalize(f), 0
    for anchor, label in zip(unit[:16], labels[:16]):
        d = (unit - anchor).square().sum(1).clamp(min=1e-12).sqrt()
        total = total + (0.5 + d[labels == label].max() - d[labels != label].min()).clamp(min=0)
    return F.cross_entropy(head.classifier(f), labels) + total / 16


def test_passes_by_group_equal_a_loop_over_the_groups(build, training_batch):
    model, _ = build(group_passes=True, num_unpaired=2, feature_module=dict(head=dict(num_ids=6)))
    twin, data = copy.deepcopy(model), model.data_preprocessor(training_batch(6, 1, size=SIZE))
    layers = {
        name: BatchNormByHand(layer)
        for name, layer in model.named_modules()
        if isinstance(layer, nn.modules.batchnorm._BatchNorm)
    }
    model.loss_discriminators(**data, shared={})
    terms = model.loss_generation_reid(**data, shared={})
    ours = torch.autograd.grad(
        terms['identity'] + terms['triplet'], [*model.parameters()], allow_unused=True
    )
    x, y = data['inputs'], torch.arange(6)
    alone = dict(visible=x['visible'][2:4], infrared=x['infrared'][4:])
    made = twin.generation_terms({key: images[:2] for key, images in x.items()})[1]
    loss = hfl_in_groups(twin, x, fakes_of(made), y, alone)
    theirs = torch.autograd.grad(loss, [*twin.parameters()], allow_unused=True)
    reached = set()
    for (name, _), one, two in zip(model.named_parameters(), ours, theirs):
        assert (one is None) == (two is None), name
        if one is not None:
            torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-5, msg=name)
            reached.add(name.split('.')[0])
    assert reached == ENCODERS | {'feature_module'}
    # discriminators' update, real and fake images in the other, groups: 2 pairs, 2 singles, fakes
    expected = dict(attribute=1 + 2 + 3, trunk=6, head=8 + 2)
    for name, by_hand in layers.items():
        layer = model.get_submodule(name)
        torch.testing.assert_close(layer.running_mean, by_hand.mean, msg=name)
        torch.testing.assert_close(layer.running_var, by_hand.var, msg=name)
        assert [by_hand.passes] == [count for key, count in expected.items() if key in name], name
        assert layer.num_batches_tracked == by_hand.passes


def test_one_batch_is_the_default(build, training_batch):
    seen = []
    model, _ = build(num_unpaired=2, feature_module=dict(head=dict(num_ids=6)))
    model.feature_module.head.register_forward_pre_hook(lambda _, rows: seen.append(len(rows[0])))
    model.visible_attribute_encoder.register_forward_pre_hook(lambda _, x: seen.append(len(x[0])))
    data = model.data_preprocessor(training_batch(6, 1, size=SIZE))
    model.loss_discriminators(**data, shared={})
    model.loss_generation_reid(**data, shared={})
    assert seen == [2, 2, 2, 4, 2, 8 * 2 + 4]
    tracked = {
        name: module.num_batches_tracked.item()
        for name, module in model.named_modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
    }
    assert {count for name, count in tracked.items() if 'attribute' in name} == {2}
    assert {count for name, count in tracked.items() if 'feature' in name} == {1}


def test_a_group_of_one_image_is_named(build, training_batch):
    model, _ = build(group_passes=True, num_unpaired=1)
    data = model.data_preprocessor(training_batch(3, 1, size=SIZE))
    with pytest.raises(ValueError, match='`group_passes` is True with groups of 1 image'):
        model.loss_generation_reid(**data, shared={})


class Recorder(nn.Module):
    """A loss that writes down what it is given."""

    def forward(self, *args):
        self.shown = args
        return args[0].sum()


def gradients(model, terms, *names):
    """Which children a sum of terms reaches."""
    parameters = dict(model.named_parameters())
    total = sum(terms[name] for name in names)
    found = torch.autograd.grad(
        total, list(parameters.values()), allow_unused=True, retain_graph=True
    )
    return {key.split('.')[0] for key, g in zip(parameters, found) if g is not None and g.any()}


@pytest.mark.parametrize(('detach_fakes', 'more'), [(True, set()), (False, {'decoder'})])
def test_what_the_gradients_of_the_identities_reach(detach_fakes, more, build, batch):
    model, _ = build(detach_fakes=detach_fakes)
    terms = model.loss_generation_reid(**model.data_preprocessor(batch), shared={})
    for term in ('identity', 'triplet'):
        assert gradients(model, terms, term) == ENCODERS | {'feature_module'} | more
    for term in ('cross', 'same', 'cycle'):
        assert gradients(model, terms, term) == ENCODERS | {'decoder'}
    assert gradients(model, terms, 'prior') == {name for name in ENCODERS if 'attribute' in name}
    assert gradients(model, terms, 'adversarial') == ENCODERS | DISCRIMINATORS | {'decoder'}


def test_erasing_leaves_the_targets_alone(build, batch):
    model, _ = build()
    data = model.data_preprocessor(batch)
    inputs = {key: images.clone() for key, images in data['inputs'].items()}
    plain = model.loss_generation_reid(**data, shared={})
    model.holes.p = 1.0
    torch.manual_seed(0)
    erased = model.loss_generation_reid(**data, shared={})
    for key, images in data['inputs'].items():
        assert torch.equal(images, inputs[key])
    for term in ('cross', 'same', 'cycle', 'code', 'prior', 'adversarial'):
        assert torch.equal(plain[term], erased[term]), term
    assert not torch.equal(plain['identity'], erased['identity'])
    # each image has its own rectangle, filled with 0, that is ImageNet's mean
    seen = []
    model.visible_prototype_encoder.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    model.encode_all(data['inputs'], erase=True)
    holes = (seen[0] == 0).all(1)
    assert all(0 < hole.sum() < hole.numel() / 2 for hole in holes)
    assert len({hole.nonzero().sum().item() for hole in holes}) > 1
    torch.testing.assert_close(seen[0], inputs['visible'] * ~holes[:, None])


def test_a_wrong_pairing_is_noticed(build, batch):
    model, _ = build()
    batch['data_samples'][4].gt_label, batch['data_samples'][5].gt_label = 1, 0
    with pytest.raises(ValueError, match=r'\[0, 1, 2, 3\], the infrared ones \[1, 0, 2, 3'):
        model.loss_generation_reid(**model.data_preprocessor(batch), shared={})


def test_the_feature_is_that_of_the_own_codes(build, training_batch):
    model = build()[0].eval()
    inputs = model.data_preprocessor(training_batch(3, 1, size=SIZE))['inputs']
    with torch.no_grad():
        features = model(inputs)
        alone = [model({key: inputs[key]}) for key in ('visible', 'infrared')]
        torch.testing.assert_close(features, torch.cat(alone))
        # the twins are equal to begin with: tell them apart
        nn.init.normal_(model.infrared_prototype_encoder.fuse.weight)
        assert torch.equal(model({'visible': inputs['visible']}), alone[0])
        assert not torch.allclose(model({'infrared': inputs['infrared']}), alone[1])


def test_pictures_of_both_fakes_and_the_cycle(labelled):
    model, images = labelled()
    pictures = {k: tuple(v[0, :, 0, 0].tolist()) for k, v in model.generate(images).items()}
    expected = {
        'visible': (10,) * 4,
        'visible, own codes': (10.01,) * 4,
        'visible, cycle': (10.03, 10.03, 10.02, 10.02),
        'infrared person as visible': FAKE_VISIBLE,
        'infrared person relit': RELIT_VISIBLE,
        'infrared': (20,) * 4,
        'infrared, own codes': (20.02,) * 4,
        'infrared, cycle': (20.03, 20.03, 20.04, 20.04),
        'visible person as infrared': FAKE_INFRARED,
        'visible person relit': RELIT_INFRARED,
    }
    assert list(pictures) == list(expected)
    for title, numbers in expected.items():
        assert pictures[title] == pytest.approx(numbers), title


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(input_size=(46, 40)), r'AttributeDecoder: `input_size` is \(46, 40\)'),
        (dict(input_size=(48, 36)), r'PrototypeEncoder: `input_size` is \(48, 36\)'),
        (dict(discriminator=dict(num_scales=5)), 'MultiScaleDiscriminator: `input_size`'),
        (dict(attribute_encoder=dict(num_blocks=3)), '`num_blocks` is 3'),
        (dict(attribute_encoder=dict(shares=(2, 1))), r'`shares` is \(2, 1\)'),
        (dict(decoder=dict(num_blocks=4)), "`HiCMD.decoder` has {'num_blocks': 4}, expected"),
        (dict(prototype_encoder=dict(base_channels=16)), '`trunk` takes maps of 64 channels'),
        (dict(sampling='paired'), "`sampling` is 'paired', expected one of"),
        (dict(cycle='style'), "`cycle` is 'style'"),
        (dict(num_unpaired=-1), '`num_unpaired` -1'),
        (dict(loss_weights=dict(adversarial=0.0)), 'expected a positive weight just with one'),
        (dict(losses=dict(adversarial=dict(form='log'))), '`form` is .*log'),
    ],
)
def test_what_does_not_fit_is_named(options, message, build):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_interrupted_and_resumed_equals_straight(resumes_exactly):
    # else a GPU adds the gradients of reflected maps up in any order
    resumes_exactly(str(CONFIGS / 'hicmd_synthetic.py'), deterministic=True)
