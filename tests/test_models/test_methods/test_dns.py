import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmvireid.apis.released_weights import convert_by_layers, flatten_weights
from mmvireid.apis.releases import RELEASES
from mmvireid.models.losses import MeanDiscrepancyLoss
from mmvireid.registry import HOOKS, MODELS, PARAM_SCHEDULERS

ROOT = Path(__file__).parents[3]
CONFIG = Config.fromfile(ROOT / 'configs/dns/dns_sysu.py')
MODEL = CONFIG.model.to_dict()
STRIPS = dict(type='StripAttentionPlugin')
LABELS = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
MEAN = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
STD = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
VISIBLE, INFRARED = slice(6), slice(6, 12)


def build(**values):
    torch.manual_seed(0)
    config = copy.deepcopy(MODEL) | dict(
        channels_last=False,
        data_preprocessor=None,
        flip_test=False,
        backbone=dict(
            type='TwoStreamResNet', depth=18, num_stages=3, split='layer2',
            plugins=dict(layer3=STRIPS),
        ),
        branch=dict(type='SoftmaxPerceptron', dropout=0.0),
        head=dict(type='IdentityHead', num_ids=3),
    )  # fmt: skip
    return MODELS.build(config | values)


def weigh_strips(parts, x):
    """HSS in plain PyTorch; parts are its first convolution, norm, and one for rows and columns."""
    reduce, norm, for_rows, for_columns = parts
    a, b = x.amax(3).softmax(2), x.amax(2).softmax(2)
    moved = x + a[:, :, :, None] * b[:, :, None, :]
    strips = torch.cat([moved.mean(3), moved.mean(2)], 2)[..., None]  # (N, C, h + w, 1)
    strips = F.hardswish(norm(reduce(strips)))
    rows = torch.sigmoid(for_rows(strips[:, :, : x.shape[2]]))
    columns = torch.sigmoid(for_columns(strips[:, :, x.shape[2] :])).transpose(2, 3)
    return x * rows * columns


def circle(rows):
    """Pairs written out, at a scale of 64 and a margin of 0.5."""
    unit, total = F.normalize(rows), 0
    for i, label in enumerate(LABELS):
        s = unit @ unit[i]
        factor = s.detach()
        pull = -64 * (1.5 - factor).clamp(min=0) * (s - 0.5)
        push = 64 * (factor + 0.5).clamp(min=0) * (s - 0.5)
        others = (torch.arange(12) != i) & (label == LABELS)
        apart = label != LABELS
        total = total + F.softplus(pull[others].logsumexp(0) + push[apart].logsumexp(0)) / 12
    return total


def teach(heads, rows):
    """DD on one kind of vectors."""
    total = 0
    for key, other, part in (
        ('visible', 'infrared', VISIBLE),
        ('infrared', 'visible', INFRARED),
    ):
        own = rows[part] @ heads.students[key].classifier.weight.T
        taught = (rows[part] @ heads.teachers[other].classifier.weight.T).detach()
        p, q = own.softmax(1), taught.softmax(1)
        total = total + 0.25 * F.cross_entropy(own, LABELS[part])
        total = total + 0.5 * (p * (p.log() - q.log())).sum(1).mean()
    return total


def handwritten_step(model, images, labels, optimizer):
    """One DNS iteration in plain PyTorch; images are uint8 BGR, visible first."""
    heads, backbone = model.modality_heads, model.backbone
    for key, teacher in heads.teachers.items():
        weight = teacher.classifier.weight
        weight.data = 0.8 * weight.data + 0.2 * heads.students[key].classifier.weight.data
    visible, infrared = ((images.flip(1).float() - MEAN) / STD).chunk(2)
    stems = backbone.stems
    maps = backbone.trunk(torch.cat([stems['visible'](visible), stems['infrared'](infrared)]))
    plugin = backbone.plugins['layer3'][0]
    maps = weigh_strips((plugin.reduce, plugin.bn, plugin.rows, plugin.columns), maps)
    z = (maps.clamp(min=0).pow(3).mean((2, 3)) + 1e-12).pow(1 / 3)
    v = maps.mean((2, 3))
    hat = model.branch.layers(v + v.softmax(1))
    feature = model.neck.bn(z)
    loss = F.cross_entropy(feature @ model.head.classifier.weight.T, labels) + circle(feature) / 48
    mmd = MeanDiscrepancyLoss()  # tested with its golden values
    across = mmd(z[VISIBLE], z[INFRARED]) + mmd(hat[VISIBLE], hat[INFRARED])
    between = mmd(z[VISIBLE], hat[VISIBLE]) + mmd(z[INFRARED], hat[INFRARED])
    loss = loss + 0.2 * (0.45 * across + 0.05 * between)
    loss = loss + teach(heads, feature) + teach(heads, hat)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_three_iterations_equal_a_handwritten_loop(training_batch, equals_handwritten):
    hook = HOOKS.build(CONFIG.default_hooks.teacher)
    batch = training_batch(3, 2, size=(64, 32))
    equals_handwritten(build(), batch, LABELS, handwritten_step, hook)


def test_golden_value_of_the_gaps(golden_batch):
    x, _ = golden_batch(1)
    model = build()
    terms = model._gaps([x, x.roll(5, dims=1)], 32)
    weights = {key: model.loss_weights[key] / 0.2 for key in terms}
    total = sum(weights[key] * value for key, value in terms.items())
    assert total.item() == pytest.approx(0.14109624271520843, abs=1e-12)


def test_the_feature_is_the_one_after_the_neck_and_needs_no_branch(training_batch):
    model = build(unit_features=False).eval()
    inputs = model.data_preprocessor(training_batch(3, 2, size=(64, 32)))['inputs']
    _, feature = model.neck(model.backbone(inputs))
    model.branch = model.modality_heads = model.head = None
    torch.testing.assert_close(model(inputs), feature)


def test_parts_and_terms_come_together(training_batch):
    weights = dict(MODEL['loss_weights'], branch_gap=0.0)
    model = build(branch=None, loss_weights=weights)
    terms = model.loss(**model.data_preprocessor(training_batch(3, 2, size=(64, 32))))
    assert set(terms) == set(weights) - {'branch_gap'}
    with pytest.raises(ValueError, match='`loss_weights.branch_gap` is 0 with `branch`'):
        build(loss_weights=weights)
    with pytest.raises(ValueError, match='`loss_weights.modality_identity` is 0.25 with'):
        build(modality_heads=None)
    weights = dict(MODEL['loss_weights'], modality_identity=0.0)
    with pytest.raises(ValueError, match='`loss_weights.teaching` is 0.5 with `modality_heads` N'):
        build(modality_heads=None, loss_weights=weights)


EPOCHS, PEAK = 100, 16


def released_rate(base, position):
    """The triangle at a number of epochs, linear between whole ones."""
    if position <= PEAK:
        return base * (1e-4 + (1 - 1e-4) * position / PEAK)
    return base * (EPOCHS - position) / (EPOCHS - PEAK)


@pytest.mark.parametrize(('name', 'base'), [('dns_sysu', 0.2), ('dns_regdb', 0.1)])
def test_rates_follow_the_released_triangle(name, base):
    """Iteration by iteration, of the groups of the release."""
    cfg = Config.fromfile(ROOT / f'configs/dns/{name}.py')
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=cfg.optim_wrapper.optimizer.lr)
    length = 29
    schedulers = [
        PARAM_SCHEDULERS.get(each['type']).build_iter_from_epoch(
            optimizer=optimizer,
            epoch_length=length,
            **{k: v for k, v in each.items() if k not in ('type', 'convert_to_iter_based')},
        )
        for each in cfg.param_scheduler
    ]
    for iteration in range(EPOCHS * length):
        # one iteration less in each leg: the peak and the end are reached, and not passed
        expected = released_rate(base, iteration / length)
        found = optimizer.param_groups[0]['lr']
        assert found == pytest.approx(expected, abs=1.5 * base / (PEAK * length))
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    assert optimizer.param_groups[0]['lr'] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ('name', 'base', 'trunk'), [('dns_sysu', 0.2, (0.2, 0.25)), ('dns_regdb', 0.1, (0.1, 0.1))]
)
def test_parts_have_the_released_rates(name, base, trunk):
    cfg = Config.fromfile(ROOT / f'configs/dns/{name}.py')
    cfg.model.backbone.init_cfg = None
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    rates = {id(p): group['lr'] for group in groups for p in group['params']}
    whole = ('neck.', 'head.', 'modality_heads.')
    for key, parameter in model.named_parameters():
        factor = 0.1
        if key.startswith('modality_heads.teachers.'):
            assert id(parameter) not in rates
            continue
        if key.startswith(whole):
            factor = 1
        elif key.startswith('backbone.trunk.'):
            factor = trunk[key.startswith('backbone.trunk.layer4')]
        assert rates[id(parameter)] == pytest.approx(factor * base), key


def test_as_many_parameters_as_released():
    """The release registers another layer1 and layer2 that nothing uses."""
    cfg = Config.fromfile(ROOT / 'configs/dns/dns_sysu.py').model
    cfg.backbone.init_cfg = None
    with torch.device('meta'):
        model = MODELS.build(cfg)
    dead = 215_808 + 1_219_584
    assert sum(p.numel() for p in model.parameters()) + dead == 64_497_728
    assert sum(p.numel() for p in model.backbone.stems['visible'].parameters()) == 1_444_928


def test_the_hue_of_grey_is_no_other():
    """So what the release does to the hue of infrared images is left out."""
    grey = torch.rand(1, 8, 6).expand(3, 8, 6)
    torch.testing.assert_close(torchvision.transforms.functional.adjust_hue(grey, 0.4), grey)


def test_interrupted_equals_straight(resumes_exactly):
    resumes_exactly(str(ROOT / 'configs/dns/dns_synthetic.py'))


class Strips(nn.Module):
    """HSS under names of its own, in the order of its description."""

    def __init__(self, channels):
        super().__init__()
        inner = max(8, channels // 32)
        self.conv1 = nn.Conv2d(channels, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv_h = nn.Conv2d(inner, channels, 1, bias=False)
        self.conv_w = nn.Conv2d(inner, channels, 1, bias=False)

    def forward(self, x):
        return weigh_strips((self.conv1, self.bn1, self.conv_h, self.conv_w), x)


class Released(nn.Module):
    """The network of the release from its description, on a small ResNet."""

    def __init__(self, num_ids):
        super().__init__()
        for outer, inner in dict(visible='visible', thermal='thermal', base='base').items():
            net = torchvision.models.resnet18(weights=None)
            unused = ('layer3', 'layer4', 'fc') if outer != 'base' else ('conv1', 'bn1', 'fc')
            for name in unused:
                delattr(net, name)
            self.add_module(outer, nn.Module())
            getattr(self, outer).add_module(inner, net)
        last = self.base.base.layer4[0]
        last.conv1.stride = last.downsample[0].stride = (1, 1)
        self.base.HSS3, self.base.HSS4 = Strips(256), Strips(512)
        self.CSS = nn.Module()
        self.CSS.mlp = nn.Sequential(
            nn.LayerNorm(512), nn.Linear(512, 2048), nn.GELU(), nn.Dropout(), nn.Linear(2048, 512)
        )
        self.bottleneck = nn.BatchNorm1d(512)
        self.classifier = nn.Linear(512, num_ids, bias=False)
        self.DD = nn.Module()
        for name in ('visible', 'infrared'):
            for suffix in ('', '_'):
                classifier = nn.Linear(512, num_ids, bias=False)
                self.DD.add_module(f'{name}_classifier{suffix}', classifier)
        for module in self.modules():  # so that statistics matter
            if hasattr(module, 'running_var'):
                nn.init.uniform_(module.running_var, 0.5, 2)
                nn.init.normal_(module.running_mean, std=0.1)

    def forward(self, image, modality):
        stem = self.visible.visible if modality == 'visible' else self.thermal.thermal
        x = stem.layer2(stem.layer1(stem.maxpool(stem.relu(stem.bn1(stem.conv1(image))))))
        x = self.base.HSS3(self.base.base.layer3(x))
        x = self.base.HSS4(self.base.base.layer4(x))
        z = (x.relu().pow(3).mean((2, 3)) + 1e-12).pow(1 / 3)
        return self.bottleneck(z)


@pytest.fixture
def released():
    torch.manual_seed(1)
    return Released(num_ids=7).double().eval()


@pytest.fixture
def whole():
    """Our network of as many stages as the release."""
    backbone = dict(
        type='TwoStreamResNet', depth=18, split='layer2', plugins=dict(layer3=STRIPS, layer4=STRIPS)
    )
    head = dict(type='IdentityHead', num_ids=7)
    return build(backbone=backbone, head=head, unit_features=False).double().eval()


def test_features_equal_those_of_the_released_network(released, whole, monkeypatch):
    monkeypatch.setattr(torch.Tensor, 'float', torch.Tensor.double)  # guards against half precision
    content = dict(net=released.state_dict(), epoch=3)
    found = convert_by_layers(RELEASES['dns'], flatten_weights(content), whole.state_dict())
    assert {key.split('.layer')[0] for key in found.dropped} == {'net.base.base'}
    assert {key.split('.')[3] for key in found.dropped} == {'layer1', 'layer2'}
    assert found.initial == []
    whole.load_state_dict(found.weights, strict=True)
    image = torch.randn(2, 3, 64, 32, dtype=torch.float64)
    with torch.no_grad():
        for modality in ('visible', 'infrared'):
            theirs = released(image, modality)
            torch.testing.assert_close(whole({modality: image}), theirs, rtol=0, atol=1e-9)
    heads, theirs = whole.modality_heads, released.DD
    assert torch.equal(
        heads.students['visible'].classifier.weight, theirs.visible_classifier.weight
    )
    teacher = heads.teachers['infrared'].classifier.weight
    assert torch.equal(teacher, theirs.infrared_classifier_.weight)
    assert torch.equal(whole.branch.layers[4].bias, released.CSS.mlp[4].bias)


def test_features_need_neither_branch_nor_heads(released, whole):
    state = {k: v for k, v in released.state_dict().items() if not k.startswith(('CSS', 'DD'))}
    found = convert_by_layers(RELEASES['dns'], state, whole.state_dict())
    assert {key.split('.')[0] for key in found.initial} == {'branch', 'modality_heads'}


def test_another_file_is_refused(whole):
    with pytest.raises(ValueError, match=r"has the keys \['fc.weight'\] .*, expected a DNS check"):
        convert_by_layers(RELEASES['dns'], {'fc.weight': torch.zeros(4, 3)}, whole.state_dict())
