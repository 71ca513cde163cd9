import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmvireid.engine.hooks import StageHook
from mmvireid.models.backbones import Analysis
from mmvireid.registry import MODELS

CONFIGS = Path(__file__).parents[3] / 'configs/aligngan'
SIZE = (32, 32)
GENERATORS = {'visible_to_infrared', 'infrared_to_visible'}
WARMUP_CRITICS = {'visible_discriminator_warmup', 'infrared_discriminator_warmup'}
#: Who is moved by which update, in the order of the release.
STAGES = {
    'A feature': dict(reid_warmup={'feature_module'}),
    'B pixel': dict(generators_warmup=GENERATORS, discriminators_warmup=WARMUP_CRITICS),
    'C joint': dict(
        reid={'feature_module'},
        generators=GENERATORS,
        visible_discriminator={'visible_discriminator'},
        joint_discriminator={'joint_discriminator'},
    ),
}


@pytest.fixture
def build(tiny_model):
    """``build('aligngan_sysu.py')``: the config's model, tiny, and the config."""

    def call(name: str = 'aligngan_sysu.py', **values):
        cfg = Config.fromfile(CONFIGS / name)
        tiny_model(cfg.model, num_ids=3, input_size=SIZE, size=(32, 16), dropout=0.0, **values)
        for key, layers in (('image_discriminator', 3), ('joint_discriminator', None)):
            if cfg.model.get(key):
                cfg.model[key].update(num_layers=layers) if layers else cfg.model[key].update(
                    num_image_layers=2, num_joint_layers=1
                )
        torch.manual_seed(0)
        return MODELS.build(cfg.model), cfg

    return call


@pytest.fixture
def batch(training_batch):
    return training_batch(3, 2, size=SIZE, blocks=('feature', 'pixel'))


def enter(model, cfg, name, **changes):
    """Bring a model into a stage of its config."""
    stages = StageHook(cfg.default_hooks.stage.stages).stages
    model.train()
    stage = next(stage for stage in stages if stage.name == name)
    model.enter_stage(replace(stage, **changes))


class Handwritten:
    """An iteration of AlignGAN after the paper's equations, in plain PyTorch."""

    def __init__(self, net, optimisers):
        self.net, self.optimisers = net.train(), optimisers

    def analyse(self, x):
        x = (x / 2 + 0.5 - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor(
            [0.229, 0.224, 0.225]
        ).view(3, 1, 1)
        x = F.interpolate(x, (32, 16), mode='bilinear', align_corners=False)
        maps = self.net.feature_module.extractor(x)
        v = maps.mean((2, 3))
        return maps, self.net.feature_module.classifier(v), self.net.feature_module.embedder(v)

    @staticmethod
    def triplet(anchors, others, y):
        """Eq. 3: similarity of the farthest positive and of the nearest negative."""
        total = 0.0
        for a, label in zip(anchors, y):
            s = [F.cosine_similarity(a, o, dim=0) for o in others]
            p = min(value for value, other in zip(s, y) if other == label)
            n = max(value for value, other in zip(s, y) if other != label)
            total = total + (1 - p + n).clamp(min=0)
        return total / len(y)

    def step(self, name, loss):
        """Gradients of one optimiser's parameters alone."""
        optimizer = self.optimisers[name]
        parameters = [p for group in optimizer.param_groups for p in group['params']]
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
            parameter.grad = gradient
        optimizer.step()

    @staticmethod
    def real(logits):
        return ((logits - 1) ** 2).mean()

    @staticmethod
    def fake(logits):
        return (logits**2).mean()

    def reid_warmup(self, feature, pixel, y):
        _, logits, e = self.analyse(feature[1])
        self.step('reid', F.cross_entropy(logits, y) + self.triplet(e, e, y))

    def reid(self, feature, pixel, y):
        net, x = self.net, feature[1]
        x_fake = net.visible_to_infrared(feature[0]).detach()
        (_, logits, e), (m_fake, logits_fake, e_fake) = self.analyse(x), self.analyse(x_fake)
        loss = F.cross_entropy(logits, y) + F.cross_entropy(logits_fake, y)
        loss = loss + self.triplet(e, e_fake, y) + self.triplet(e_fake, e, y)
        # Eq. 10: the mean over (X, M') and (X', M')
        pairs = [net.joint_discriminator(image, m_fake) for image in (x, x_fake)]
        self.step('reid', loss + 0.1 * sum(map(self.real, pairs)) / 2)

    def pixel(self, rgb, x, y, judge_visible, judge_infrared):
        """Eq. 4; returns what the discriminators see."""
        there, back = self.net.visible_to_infrared, self.net.infrared_to_visible
        buffers = copy.deepcopy(dict(self.net.named_buffers()))
        x_fake, rgb_fake = there(rgb), back(x)
        (m, _, e), (m_fake, logits_fake, e_fake) = self.analyse(x), self.analyse(x_fake)
        cycle = (back(x_fake) - rgb).abs().mean() + (there(rgb_fake) - x).abs().mean()
        identity = F.cross_entropy(logits_fake, y)
        triplet = 0.5 * (self.triplet(e_fake, e, y) + self.triplet(e, e_fake, y))
        gan = self.real(judge_visible(rgb_fake)) + judge_infrared(
            x_fake, m.detach(), m_fake.detach()
        )
        self.step('generators', 10 * cycle + identity + triplet + gan)
        for key, value in self.net.named_buffers():  # no trace of this update in BatchNorm
            value.copy_(buffers[key])
        return [value.detach() for value in (rgb, rgb_fake, x, x_fake, m, m_fake)]

    def stage_b(self, feature, pixel, y):
        net = self.net
        critics = net.visible_discriminator_warmup, net.infrared_discriminator_warmup
        rgb, rgb_fake, x, x_fake, _, _ = self.pixel(
            *pixel, y, critics[0], lambda image, m, m_fake: self.real(critics[1](image))
        )
        loss = self.real(critics[0](rgb)) + self.fake(critics[0](rgb_fake))
        loss = loss + self.real(critics[1](x)) + self.fake(critics[1](x_fake))
        self.step('discriminators_warmup', loss / 2)

    def stage_c(self, feature, pixel, y):
        self.reid(feature, pixel, y)
        visible, joint = self.net.visible_discriminator, self.net.joint_discriminator
        rgb, rgb_fake, x, x_fake, m, m_fake = self.pixel(
            *pixel,
            y,
            visible,
            lambda image, m, m_fake: (
                (  # Eq. 9
                    self.real(joint(image, m)) + self.real(joint(image, m_fake))
                )
                / 2
            ),
        )
        loss = self.real(visible(rgb)) + self.fake(visible(rgb_fake))
        self.step('visible_discriminator', loss / 2)
        stranger = torch.cat([x[-2:], x[:-2]])  # two images of each identity
        fakes = [joint(stranger, m), joint(x, m_fake), joint(x_fake, m), joint(x_fake, m_fake)]
        loss = self.real(joint(x, m)) + sum(map(self.fake, fakes)) / 4
        self.step('joint_discriminator', loss / 2)


def plain_optimisers(net):
    """The config's optimisers, by hand."""

    def adam(*children):
        parameters = [p for child in children for p in getattr(net, child).parameters()]
        return torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999), eps=EPS)

    module = net.feature_module
    heads = [*module.classifier.parameters(), *module.embedder.parameters()]
    trunk = dict(params=list(module.extractor.parameters()), lr=0.02 * SLOW)
    return dict(
        reid=torch.optim.SGD(
            [trunk, dict(params=heads)], lr=0.2 * SLOW, momentum=0.9, nesterov=True,
            weight_decay=5e-4,
        ),
        generators=adam(*sorted(GENERATORS)),
        discriminators_warmup=adam(*sorted(WARMUP_CRITICS)),
        visible_discriminator=adam('visible_discriminator'),
        joint_discriminator=adam('joint_discriminator'),
    )  # fmt: skip


SLOW = 0.01  # a rate of 0.2 blows rounding errors up in networks as small as these
EPS = 0.1  # of Adam


@pytest.mark.parametrize('stage', STAGES)
def test_three_iterations_equal_a_handwritten_loop(stage, build, batch):
    model, cfg = build()
    cfg.optim_wrapper.reid.optimizer.lr = 0.2 * SLOW
    for name, entry in cfg.optim_wrapper.items():
        if name not in ('constructor', 'reid'):
            entry.optimizer.eps = EPS  # or Adam would blow rounding errors up to full steps
    start = copy.deepcopy(model.state_dict())
    twin = copy.deepcopy(model)
    handwritten = Handwritten(twin, plain_optimisers(twin))
    iteration = {'A feature': 'reid_warmup', 'B pixel': 'stage_b', 'C joint': 'stage_c'}[stage]
    enter(model, cfg, stage)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    images = (batch['inputs'].flip(1).float() - 127.5) / 127.5
    visible, infrared, *pixel = images.chunk(4)
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    for _ in range(3):
        model.train_step(batch, wrapper)
        getattr(handwritten, iteration)((visible, infrared), pixel, labels)
    expected = twin.state_dict()
    for key, ours in model.state_dict().items():
        torch.testing.assert_close(ours, expected[key], rtol=1e-4, atol=1e-5, msg=key)
    moved = {key.split('.')[0] for key in start if not torch.equal(start[key], expected[key])}
    assert moved == set().union(*STAGES[stage].values())


@pytest.mark.parametrize('stage', STAGES)
def test_an_update_moves_its_own_parts_alone_buffers_included(stage, build, batch):
    model, cfg = build()
    enter(model, cfg, stage)
    assert model.active_updates == tuple(STAGES[stage])
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = copy.deepcopy(model.state_dict())
    ran = []
    for update, parts in STAGES[stage].items():
        ran.append(update)
        model.load_state_dict(before)
        enter(model, cfg, stage, updates=tuple(ran))
        logs = model.train_step(batch, wrapper)
        assert {key.split('/')[0] for key in logs} == set(ran)
        after = model.state_dict()
        moved = {key.split('.')[0] for key in after if not torch.equal(before[key], after[key])}
        assert moved == set().union(*(STAGES[stage][name] for name in ran)), update
        assert parts <= moved


class Labelled(nn.Module):
    """A joint discriminator that writes down what it is shown."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def forward(self, images, feature_map):
        self.shown += zip(images[:, 0, 0, 0].tolist(), feature_map[:, 0, 0, 0].tolist())
        return images.new_zeros(len(images), 1, 1, 1)


class Identity(nn.Module):
    """A feature module whose map is the image, and a translator that marks what it makes."""

    def __init__(self, offset=0.0):
        super().__init__()
        self.offset = offset
        self.out_channels = 3

    def forward(self, images):
        if self.offset:
            return images + self.offset
        vectors = images.mean((2, 3))
        return Analysis(images, vectors, vectors, vectors)


@pytest.fixture
def labelled(build):
    """A model of dummies: an image is the number 10 * identity + its row, fakes have 0.5 more."""
    model, cfg = build()
    model.feature_module, model.joint_discriminator = Identity(), Labelled()
    model.visible_to_infrared, model.infrared_to_visible = Identity(0.5), Identity(0.25)
    enter(model, cfg, 'C joint')
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    numbers = (10.0 * labels + torch.arange(6)).view(6, 1, 1, 1).expand(6, 3, 32, 32)
    inputs = dict(visible=numbers + 100, infrared=numbers)
    return model, dict(feature=inputs, pixel=inputs)


INFRARED = [0.0, 1.0, 12.0, 13.0, 24.0, 25.0]
TRANSLATED = [100.5, 101.5, 112.5, 113.5, 124.5, 125.5]  # of the visible images of these persons
OTHERS = [24.0, 25.0, 0.0, 1.0, 12.0, 13.0]  # rolled by the two images of an identity


def test_pairs_are_what_the_paper_says(labelled, batch):
    model, inputs = labelled
    samples = model.data_preprocessor(batch)['data_samples']
    shown, shared = model.joint_discriminator.shown, {}

    def pairs(update):
        shown.clear()
        terms = getattr(model, f'loss_{update}')(inputs, samples, shared)
        return list(shown), terms

    both = [*zip(INFRARED, TRANSLATED), *zip(TRANSLATED, TRANSLATED)]  # Eq. 10: (X, M'), (X', M')
    assert pairs('reid')[0] == both
    both = [*zip(TRANSLATED, INFRARED), *zip(TRANSLATED, TRANSLATED)]  # Eq. 9: (X', M), (X', M')
    assert pairs('generators')[0] == both
    seen, terms = pairs('joint_discriminator')  # Eq. 8
    assert seen[:6] == list(zip(INFRARED, INFRARED))
    assert seen[6:12] == list(zip(OTHERS, INFRARED))
    assert seen[12:18] == list(zip(INFRARED, TRANSLATED))
    assert seen[18:24] == list(zip(TRANSLATED, INFRARED))
    assert seen[24:] == list(zip(TRANSLATED, TRANSLATED))
    # logits of 0 are right for fakes and off by 1 for real ones: the first six alone are real
    assert terms == dict(joint_real=torch.tensor(1.0), joint_fake=torch.tensor(0.0))


def test_the_released_pairs_are_a_switch(labelled, batch):
    model, inputs = labelled
    model.pixel_pairs = model.feature_pairs = ['real']
    samples = model.data_preprocessor(batch)['data_samples']
    model.loss_reid(inputs, samples, {})
    model.loss_generators(inputs, samples, {})
    expected = [*zip(INFRARED, TRANSLATED), *zip(TRANSLATED, INFRARED)]
    assert model.joint_discriminator.shown == expected


@pytest.mark.parametrize('block', ['feature', 'pixel'])
@pytest.mark.parametrize('stage', STAGES)
def test_a_wrong_pairing_is_noticed(stage, block, build, batch):
    model, cfg = build()
    enter(model, cfg, stage)
    if (stage, block) in {('A feature', 'pixel'), ('B pixel', 'feature')}:
        return  # that block plays no part
    first = next(i for i, s in enumerate(batch['data_samples']) if s.get('block') == block)
    for i, label in zip(range(first + 6, first + 12), (1, 1, 0, 0, 2, 2)):
        batch['data_samples'][i].gt_label = label  # infrared rows in another order
    with pytest.raises(ValueError, match=r'\[0, 0, 1, 1, 2, 2\], the infrared ones \[1, 1, 0, 0'):
        model(**model.data_preprocessor(batch), mode='loss')


def test_a_single_identity_has_no_wrong_pairs(build, training_batch):
    model, cfg = build()
    enter(model, cfg, 'C joint')
    data = model.data_preprocessor(training_batch(1, 4, size=SIZE, blocks=('feature', 'pixel')))
    with pytest.raises(ValueError, match='at least two identities'):
        model(**data, mode='loss')


def gradients(model, terms, *names):
    """Which children a sum of terms reaches."""
    parameters = dict(model.named_parameters())
    total = sum(terms[name] for name in names)
    found = torch.autograd.grad(
        total, list(parameters.values()), allow_unused=True, retain_graph=True
    )
    return {key.split('.')[0] for key, g in zip(parameters, found) if g is not None and g.any()}


def test_what_the_gradients_of_each_term_reach(build, batch):
    model, cfg = build()
    enter(model, cfg, 'C joint')
    data, shared = model.data_preprocessor(batch), {}
    terms = model.loss_reid(**data, shared=shared)
    assert gradients(model, terms, 'identity', 'triplet') == {'feature_module'}
    reached = {'feature_module', 'joint_discriminator'}  # not the generator: no gradient in X'
    assert gradients(model, terms, 'feature_adversarial') == reached
    terms = model.loss_generators(**data, shared=shared)
    assert gradients(model, terms, 'cycle') == GENERATORS
    through_maps = {'feature_module', 'visible_to_infrared'}  # M' -> X' -> G_p
    assert gradients(model, terms, 'pixel_identity') == through_maps
    assert gradients(model, terms, 'pixel_triplet') == through_maps
    reached = {'visible_to_infrared', 'joint_discriminator'}  # maps are detached
    assert gradients(model, terms, 'infrared_adversarial') == reached
    terms = model.loss_joint_discriminator(**data, shared=shared)
    assert gradients(model, terms, 'joint_real', 'joint_fake') == {'joint_discriminator'}


def test_a_term_of_weight_0_is_not_computed(build, batch):
    model, cfg = build('aligngan-pixalign_sysu.py')
    enter(model, cfg, 'C joint')
    data = model.data_preprocessor(batch)
    assert set(model.loss_reid(**data, shared={})) == {'identity', 'triplet'}
    assert 'identity_map' not in model.loss_generators(**data, shared={})
    model, cfg = build('aligngan-released_sysu.py')
    enter(model, cfg, 'C joint')
    terms = model.loss_generators(**data, shared={})
    visible, infrared = data['inputs']['pixel'].values()
    expected = (model.visible_to_infrared(infrared) - infrared).abs().mean()
    expected = expected + (model.infrared_to_visible(visible) - visible).abs().mean()
    torch.testing.assert_close(terms['identity_map'], expected)


def test_visible_images_are_translated_to_be_found(build, training_batch):
    model = build()[0].eval()
    inputs = model.data_preprocessor(training_batch(3, 2, size=SIZE))['inputs']
    with torch.no_grad():
        features = model(inputs)
        fake = model.visible_to_infrared(inputs['visible'])
        both = model(dict(infrared=fake)), model(dict(infrared=inputs['infrared']))
        torch.testing.assert_close(features, torch.cat(both))
        torch.testing.assert_close(model(dict(visible=inputs['visible'])), both[0])
        assert not torch.allclose(model(dict(infrared=inputs['visible'])), both[0], atol=1e-3)


@pytest.mark.parametrize(('config', 'same'), [('aligngan', True), ('aligngan-released', False)])
def test_translation_normalises_in_training_as_in_test(config, same, build, training_batch):
    model, _ = build(f'{config}_sysu.py')
    visible = model.data_preprocessor(training_batch(3, 2, size=SIZE))['inputs']['visible']
    with torch.no_grad():
        in_training = model.train().translate(visible)
        in_test = model.eval().translate(visible)
    assert torch.allclose(in_training, in_test) == same
    # one image alone is translated as in a batch
    alone = model.translate(visible[:1])
    torch.testing.assert_close(alone, in_test[:1])


def test_pictures_of_both_ways_and_back(labelled):
    model, inputs = labelled
    pictures = model.generate(inputs['feature'])
    offsets = {title: (p.mean() - inputs['feature']['infrared'].mean()).item() for title, p in
               pictures.items()}  # fmt: skip
    assert offsets == {
        'visible': 100, 'fake infrared': 100.5, 'visible again': 100.75,
        'infrared': 0, 'fake visible': 0.25, 'infrared again': 0.75,
    }  # fmt: skip


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(input_size=(34, 32)), r'`input_size` is \(34, 32\), expected multiples of 4'),
        (dict(input_size=(8, 4)), 'StridedDiscriminator'),
        (dict(pixel_pairs=[]), r"`pixel_pairs` is \[\], expected some of \('real', 'fake'\)"),
        (dict(feature_pairs=['both']), r"`feature_pairs` is \['both'\], expected some of"),
        (dict(losses=dict(adversarial=dict(form='log'))), '`form` is .*log'),
    ],
)
def test_what_does_not_fit_is_named(options, message, build):
    cfg = build()[1]
    cfg.merge_from_dict(dict(model=options))
    with pytest.raises(ValueError, match=message):
        MODELS.build(cfg.model)


def test_interrupted_and_resumed_equals_straight_in_every_stage(resumes_exactly):
    resumes_exactly(str(CONFIGS / 'aligngan_synthetic.py'))
