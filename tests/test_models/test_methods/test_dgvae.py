import copy
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmvireid.engine.hooks import StageHook
from mmvireid.models.generators import GaussianCode
from mmvireid.registry import MODELS

CONFIGS = Path(__file__).parents[3] / 'configs/dgvae'
IDENTITY_BRANCH = {'visible_extractor', 'infrared_extractor', 'identity_encoder', 'mixture_prior'}
AMBIGUOUS_BRANCH = {'ambiguous_encoder', 'decoder'}
#: The paper's training paragraph (Sec. 4.2): who moves in which stage.
TRAINED = {
    '1 identity': IDENTITY_BRANCH | {'classifier'},
    '2 ambiguous': AMBIGUOUS_BRANCH | {'classifier'},
    '3 joint': IDENTITY_BRANCH | AMBIGUOUS_BRANCH | {'classifier'},
}
STAGES = list(TRAINED)
EPS = 1e-3  # of Adam: a larger one than usual, or it would blow rounding errors up to full steps


@pytest.fixture
def build(tiny_model):
    """``build('dgvae_sysu.py', (32, 32))``: the config's model, tiny, and the config."""

    def call(name: str = 'dgvae_sysu.py', input_size: tuple = (32, 32)):
        cfg = Config.fromfile(CONFIGS / name)
        tiny_model(cfg.model, num_ids=3, input_size=input_size, dropout=0.0)
        cfg.model.identity_encoder.code_size = 16
        cfg.optim_wrapper.autoencoder.optimizer.eps = EPS
        torch.manual_seed(0)
        return MODELS.build(cfg.model), cfg

    return call


def enter(model, cfg, name):
    """Bring a model into a stage of its config."""
    stages = StageHook(**{k: v for k, v in cfg.default_hooks.stage.items() if k != 'type'}).stages
    model.train()
    model.enter_stage(next(stage for stage in stages if stage.name == name))


class Handwritten:
    """One iteration of DG-VAE after the paper's equations, in loops, with its own optimisers."""

    def __init__(self, model, stage):
        self.net, self.stage = model, stage
        self.trained = [
            (name, parameter)
            for name, parameter in model.named_parameters()
            if name.split('.')[0] in TRAINED[stage]
        ]
        self.memory = {name: dict(step=0, m=0.0, v=0.0) for name, _ in self.trained}
        self.statistics = {}
        model.train()
        for name, child in model.named_children():
            child.train(name in TRAINED[stage] | {'losses'})

    def extract(self, images):
        visible, infrared = self.normalize(images).chunk(2)
        return torch.cat(
            [self.net.visible_extractor(visible), self.net.infrared_extractor(infrared)]
        )

    @staticmethod
    def normalize(images):
        mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
        std = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
        return (images.flip(1).float() - mean) / std

    @staticmethod
    def draw_triplets(y):
        """Positives, then negatives, of the other modality (the infrared half is the second)."""
        n = len(y)
        other = [[(i < n // 2) != (j < n // 2) for j in range(n)] for i in range(n)]
        positives = [[float(other[i][j] and y[i] == y[j]) for j in range(n)] for i in range(n)]
        negatives = [[float(other[i][j] and y[i] != y[j]) for j in range(n)] for i in range(n)]
        return [torch.tensor(table).multinomial(1)[:, 0] for table in (positives, negatives)]

    def classify(self, codes, y):  # -log D^C, mean
        return F.cross_entropy(codes @ self.net.classifier.classifier.weight.T, y)

    @staticmethod
    def triplet_loss(codes, y):  # Eq. 17: hardest of the other modality, both ways
        codes = codes / codes.norm(dim=1, keepdim=True)
        half, loss = len(y) // 2, 0.0
        visible, infrared = range(half), range(half, len(y))
        for anchors, others in ((visible, infrared), (infrared, visible)):
            for a in anchors:
                p = max((codes[a] - codes[j]).norm() for j in others if y[j] == y[a])
                n = min((codes[a] - codes[j]).norm() for j in others if y[j] != y[a])
                loss = loss + (p - n + 0.1).clamp(min=0) / half
        return loss

    def mixture_loss(self, mean, log_var, y):  # KL(N(mu, sigma^2) || N(mu_y, I)), from Eq. 5
        loss = 0.0
        for mu, ln, c in zip(mean, log_var, y):
            gap = mu - self.net.mixture_prior.class_means[c]
            loss = loss + 0.5 * (ln.exp() + gap**2 - 1 - ln).sum()
        return loss / len(y)

    def margin_loss(self, d, y):  # Eq. 7 with the margin on the distance from mu_y
        means, alpha = self.net.mixture_prior.class_means, self.net.mixture_prior.margin_logits
        alpha, loss = (1 + alpha.exp()).log(), 0.0
        for code, c in zip(d, y):
            scores = [-((code - mu) ** 2).sum() - (k == c) * alpha[k] for k, mu in enumerate(means)]
            loss = loss + torch.logsumexp(torch.stack(scores), 0) - scores[c]
        return loss / len(y) - 0.1 * alpha.mean()

    def swap_losses(self, f, d, a, y, triplets):  # Eqs. 12 to 14
        pairs, sources = [], []
        for anchor, p, n in zip(range(len(y)), *(t.tolist() for t in triplets)):
            for i, j in itertools.product((anchor, p, n), repeat=2):
                if i != j or i == anchor:  # (p, p) and (n, n) are (a, a) of other anchors
                    kind = 'self' if i == j else 'positive' if n not in (i, j) else 'negative'
                    pairs.append(kind)
                    sources.append((i, j))
        f_hat = self.net.decoder(torch.stack([torch.cat([d[j], a[i]]) for i, j in sources]))
        self.statistics = copy.deepcopy(dict(self.net.named_buffers()))
        d_hat, a_hat = self.net.identity_encoder(f_hat).mean, self.net.ambiguous_encoder(f_hat).mean
        rec = cyc = idc = 0.0
        logits = d_hat @ self.net.classifier.classifier.weight.T
        for row, (kind, (i, j)) in enumerate(zip(pairs, sources)):
            l1 = (f_hat[row] - f[i].detach()).abs().mean()
            # of either modality, len(y) / 2 maps are rebuilt from their own codes and len(y) from
            # swapped ones; the four expectations of Eq. 12 are added
            rec = rec + {'self': 2, 'positive': 1, 'negative': 0}[kind] * l1 / len(y)
            share = (3 if kind == 'self' else 1) / (9 * len(y))
            cyc = cyc + share * (a[i].detach() - a_hat[row]).abs().mean()
            cyc = cyc + share * (d[j].detach() - d_hat[row]).abs().mean()
            idc = idc - share * logits[row].log_softmax(0)[y[j]]
        return 0.5 * idc + 0.5 * cyc + 0.5 * rec  # Eq. 15

    def loss(self, images, y):
        triplets = self.draw_triplets(y.tolist())
        f = self.extract(images)
        mean, log_var = self.net.identity_encoder(f)
        d = mean + (log_var / 2).exp() * torch.randn(mean.shape)
        task = self.classify(mean, y) + 0.1 * self.classify(d, y)
        task = task + self.triplet_loss(mean, y) + 0.1 * self.triplet_loss(d, y)
        disc = self.mixture_loss(mean, log_var, y) + 0.1 * self.margin_loss(d, y)  # Eq. 9
        if self.stage == '1 identity':
            return task + 0.2 * disc
        a_mean, a_log_var = self.net.ambiguous_encoder(f)
        a = a_mean + (a_log_var / 2).exp() * torch.randn(a_mean.shape)
        ambi = (a_mean**2 + a_log_var.exp() - a_log_var - 1).sum() / len(y)  # Eq. 11
        tsr = self.swap_losses(f, d, a, y, triplets)
        if self.stage == '2 ambiguous':
            return tsr + 0.001 * ambi
        return task + tsr + 0.01 * ambi + 0.2 * disc  # Eq. 19

    @torch.no_grad()
    def update(self, gradients):
        """Adam (0.9, 0.999), tenfold for the prior; SGD with momentum for the classifier."""
        for (name, parameter), g in zip(self.trained, gradients):
            memory = self.memory[name]
            memory['step'] += 1
            if name.startswith('classifier'):
                memory['m'] = 0.9 * memory['m'] + g
                parameter -= 0.01 * memory['m']
                continue
            memory['m'] = 0.9 * memory['m'] + 0.1 * g
            memory['v'] = 0.999 * memory['v'] + 0.001 * g**2
            m = memory['m'] / (1 - 0.9 ** memory['step'])
            v = memory['v'] / (1 - 0.999 ** memory['step'])
            rate = 2e-3 if name.startswith('mixture_prior') else 2e-4
            parameter -= rate * m / (v.sqrt() + EPS)

    def step(self, images, y):
        loss = self.loss(images, y)
        self.update(torch.autograd.grad(loss, [parameter for _, parameter in self.trained]))
        for key, value in self.net.named_buffers():
            if key in self.statistics:
                value.copy_(self.statistics[key])  # of real maps alone
        return loss.item()


@pytest.mark.parametrize('stage', STAGES)
def test_three_iterations_equal_a_handwritten_loop(stage, build, training_batch):
    model, cfg = build()
    start = copy.deepcopy(model.state_dict())
    handwritten = Handwritten(copy.deepcopy(model), stage)
    enter(model, cfg, stage)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    batch = training_batch(3, 2, size=(32, 32))
    labels = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
    for iteration in range(3):
        torch.manual_seed(iteration)
        logs = model.train_step(batch, wrapper)
        torch.manual_seed(iteration)
        expected = handwritten.step(batch['inputs'], labels)
        assert logs['vae/loss'].item() == pytest.approx(expected, rel=1e-5)
    theirs = handwritten.net.state_dict()
    for key, ours in model.state_dict().items():
        torch.testing.assert_close(ours, theirs[key], rtol=1e-4, atol=1e-5, msg=key)
    moved = {
        key.split('.')[0] for key, value in start.items() if not torch.equal(value, theirs[key])
    }
    assert moved == TRAINED[stage]


@pytest.mark.parametrize('data', ['sysu', 'regdb', 'synthetic'])
def test_two_gaussians_start_with_the_small_weight_on_means_that_can_shrink(data):
    cfg = Config.fromfile(CONFIGS / f'dgvae-two-gaussians_{data}.py')
    assert not cfg.model.identity_encoder.normalize_mean
    weights = [
        cfg.model.loss_weights | stage.get('loss_weights', {})
        for stage in cfg.default_hooks.stage.stages
    ]
    assert [stage.identity_gaussian for stage in weights] == [0.001, 0.0, 0.01]
    assert [stage.ambiguous for stage in weights] == [0.0, 0.001, 0.01]


@pytest.mark.parametrize('row', ['dgvae-baseline', 'dgvae'])
@pytest.mark.parametrize('data', ['sysu', 'regdb', 'synthetic'])
def test_a_row_without_the_normalisation_differs_in_nothing_else(row, data):
    with_it, without = (
        Config.fromfile(CONFIGS / f'{name}_{data}.py').to_dict() for name in (row, f'{row}-no-norm')
    )
    assert with_it['model']['identity_encoder'].pop('normalize_mean') is True
    assert without['model']['identity_encoder'].pop('normalize_mean') is False
    assert {k: v for k, v in with_it.items() if not k.startswith('_')} == {
        k: v for k, v in without.items() if not k.startswith('_')
    }


@pytest.mark.parametrize('stage', STAGES)
def test_gradients_reach_exactly_the_declared_parts(stage, build, training_batch):
    model, cfg = build()
    enter(model, cfg, stage)
    data = model.data_preprocessor(training_batch(3, 2, size=(32, 32)))
    total, _ = model.parse_losses(model(**data, mode='loss'))
    total.backward()
    for name, parameter in model.named_parameters():
        reached = parameter.grad is not None and bool(parameter.grad.any())
        assert reached == (name.split('.')[0] in TRAINED[stage]), name


def test_interrupted_and_resumed_equals_straight_in_every_stage(resumes_exactly):
    resumes_exactly(str(CONFIGS / 'dgvae_synthetic.py'))


def test_the_feature_is_the_mean_of_the_identity_code(build, training_batch):
    model = build()[0].eval()
    assert type(model.identity_encoder.pooling).__name__ == 'MaxPooling'  # Sec. 4.2
    assert type(model.ambiguous_encoder.pooling).__name__ == 'AveragePooling'
    inputs = model.data_preprocessor(training_batch(3, 2, size=(32, 32)))['inputs']
    with torch.no_grad():
        features = model(inputs)
        maps = model.visible_extractor(inputs['visible'])
        mean = model.identity_encoder(maps).mean
        torch.testing.assert_close(features[:6], mean / mean.norm(dim=1, keepdim=True))
        # alone, a modality gives the same; and nothing is drawn
        for part, key in zip(features.chunk(2), inputs):
            torch.testing.assert_close(model({key: inputs[key]}), part)
        codes = model.extract_codes(inputs)
        assert torch.equal(F.normalize(codes['identity']), features)
        nn.init.normal_(model.ambiguous_encoder.mean_head.weight)
        nn.init.constant_(model.identity_encoder.log_var_head.bias, 3.0)
        assert torch.equal(model(inputs), features)
        assert not torch.allclose(model.extract_codes(inputs)['ambiguous'], codes['ambiguous'])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(extractor=dict(num_stages=2)), '`in_channels` is 128, expected 64'),
        (dict(ambiguous_encoder=dict(stage='layer3')), '`in_channels` is 64, expected 128'),
        (dict(input_size=(8, 32)), r'`out_size` is \(2, 8\), expected .* multiples of 4'),
        (dict(sampled=['identity', 'both']), '`sampled` .*both'),
        (dict(loss_weights=dict(adversarial=0.1)), '`loss_weights.adversarial` is 0.1'),
        (dict(reconstruct='sketch'), '`reconstruct` is .*sketch.*expected .*feature_map'),
    ],
)
def test_what_does_not_fit_is_named(options, message, build):
    cfg = build()[1]
    cfg.merge_from_dict(dict(model=options))
    with pytest.raises(ValueError, match=message):
        MODELS.build(cfg.model)


def test_a_batch_without_a_partner_in_the_other_modality_is_named(build, training_batch):
    model, cfg = build()
    enter(model, cfg, '3 joint')
    for kept, message in (
        ([0, 1, 2, 3, 6, 7], r'visible image 2 .*gt_label 1.* no image of same identity'),
        ([0, 1, 6, 7], r'visible image 0 .*gt_label 0.* no image of another identity'),
    ):
        batch = training_batch(3, 2, size=(32, 32))
        samples = [batch['data_samples'][i] for i in kept]
        data = model.data_preprocessor(dict(inputs=batch['inputs'][kept], data_samples=samples))
        with pytest.raises(ValueError, match=message):
            model(**data, mode='loss')


class Marker(nn.Module):
    """Adds a number."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, images):
        return images + self.value


def test_a_rebuilt_image_goes_through_the_extractor_of_its_ambiguous_code(build):
    model = build('dgvae-image_sysu.py', (64, 64))[0]
    model.visible_extractor, model.infrared_extractor = Marker(100), Marker(200)
    is_visible = torch.tensor([False, True, True, False, True])
    rebuilt = torch.arange(5.0).view(5, 1, 1, 1)
    maps = model.extract_rebuilt(rebuilt, is_visible).flatten()
    assert maps.tolist() == [200.0, 101.0, 102.0, 203.0, 104.0]
    model.reconstruct = 'feature_map'
    assert model.extract_rebuilt(rebuilt, is_visible) is rebuilt


def test_a_rebuilt_image_is_said_to_have_the_modality_of_its_ambiguous_code(build, training_batch):
    model, cfg = build('dgvae-image_sysu.py', (64, 64))
    enter(model, cfg, '3 joint')
    codes, said, extract_rebuilt = [], [], model.extract_rebuilt

    def mark(encoder, args, code):
        if len(code.mean) == 12:  # of real images: 1 for visible, -1 for infrared, no variance
            signs = torch.ones_like(code.mean)
            signs[6:] = -1
            return GaussianCode(signs, torch.full_like(signs, -50))
        return None

    def spy(rebuilt, is_visible):
        said.append(is_visible)
        return extract_rebuilt(rebuilt, is_visible)

    model.ambiguous_encoder.register_forward_hook(mark)
    model.decoder.register_forward_pre_hook(lambda decoder, args: codes.append(args[0]))
    model.extract_rebuilt = spy
    model(**model.data_preprocessor(training_batch(3, 2, size=(64, 64))), mode='loss')
    assert torch.equal(codes[0][:, -1] > 0, said[0])  # the ambiguous code is the second part


@pytest.mark.parametrize('variant', ['discriminator', 'image-discriminator'])
def test_the_discriminator_moves_only_by_its_own_update(variant, build, training_batch):
    model, cfg = build(f'dgvae-{variant}_sysu.py', (64, 64))
    enter(model, cfg, '3 joint')
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    batch = training_batch(3, 2, size=(64, 64))
    joint, parameters = model.stage, dict(model.named_parameters())
    assert model.active_updates == ('vae', 'discriminator')

    def moved_by(*updates):
        model.stage = replace(joint, updates=updates)
        before = {name: value.detach().clone() for name, value in parameters.items()}
        logs = model.train_step(batch, wrapper)
        assert {key.split('/')[0] for key in logs} == set(updates)
        moved = (k for k, value in parameters.items() if not torch.equal(value, before[k]))
        return {key.split('.')[0] for key in moved}

    assert moved_by('vae') == TRAINED['3 joint']
    assert moved_by('vae', 'discriminator') == TRAINED['3 joint'] | {'discriminator'}
    # what it judges is handed on without a graph: its loss reaches nothing else
    terms = model.loss(**model.data_preprocessor(batch))
    total = terms['discriminator_real'] + terms['discriminator_fake']
    gradients = torch.autograd.grad(total, list(parameters.values()), allow_unused=True)
    reached = {key.split('.')[0] for key, g in zip(parameters, gradients) if g is not None}
    assert reached == {'discriminator'}


def test_only_real_maps_shape_the_statistics_of_the_encoders(build, training_batch):
    model, cfg = build()
    enter(model, cfg, '3 joint')
    twin = copy.deepcopy(model)
    batch = training_batch(3, 2, size=(32, 32))
    model.train_step(batch, build_optim_wrapper(model, cfg.optim_wrapper))
    maps = twin.extract_maps(twin.data_preprocessor(batch)['inputs'])
    twin.identity_encoder(maps)
    twin.ambiguous_encoder(maps)
    expected = dict(twin.named_buffers())
    for key, value in model.named_buffers():
        if 'running' in key and not key.startswith('decoder'):
            assert torch.equal(value, expected[key]), key
