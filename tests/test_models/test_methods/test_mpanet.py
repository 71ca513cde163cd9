import copy
from itertools import combinations
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from mmengine.config import Config
from torch import nn

from mmvireid.apis.released_weights import convert_strictly, flatten_weights
from mmvireid.engine.hooks import TeacherHook
from mmvireid.registry import HOOKS, MODELS

ROOT = Path(__file__).parents[3]
CONFIG = Config.fromfile(ROOT / 'configs/mpanet/mpanet_sysu.py')
MODEL = CONFIG.model.to_dict()
ALLEVIATION = dict(type='ModalityAlleviationPlugin')
LABELS = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
MEAN = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
STD = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)


def build(**values):
    torch.manual_seed(0)
    config = copy.deepcopy(MODEL) | dict(
        channels_last=False,
        data_preprocessor=None,
        backbone=dict(
            type='TwoStreamResNet', depth=18, num_stages=2, split='none',
            plugins=dict(layer2=ALLEVIATION),
        ),
        head=dict(type='IdentityHead', std=None, num_ids=3),
    )  # fmt: skip
    return MODELS.build(config | values)


def alleviate(module, x):
    """MAM in plain PyTorch."""
    first, _, second = module.channel_attention
    pooled = x.mean((2, 3))
    m = torch.sigmoid(F.relu(pooled @ first.weight[:, :, 0, 0].T) @ second.weight[:, :, 0, 0].T)
    m = m[:, :, None, None]
    mean, var = x.mean((2, 3), keepdim=True), x.var((2, 3), unbiased=False, keepdim=True)
    return m * x + (1 - m) * (x - mean) / (var + 1e-5).sqrt()


def divergence(p, q):
    return (p * (p.log() - q.log())).sum(1).mean()


def move_teachers(heads, rate):
    for key, teacher in heads.teachers.items():
        weight = teacher.classifier.weight
        weight.data = (1 - rate) * weight.data + rate * heads.students[key].classifier.weight.data


def center_cluster(rows):
    groups = [rows[label == LABELS] for label in range(3)]
    centers = [group.mean(0) for group in groups]
    pull = torch.cat([(group - c).norm(dim=1) for group, c in zip(groups, centers)]).mean()
    gaps = [(0.7 - (a - b).norm()).clamp(min=0) for a, b in combinations(centers, 2)]
    return pull + sum(gaps) / 3


def handwritten_step(model, images, labels, optimizer):
    """One MPANet iteration in plain PyTorch; images are uint8 BGR, visible first."""
    heads = model.modality_heads
    move_teachers(heads, 0.2)
    x = (images.flip(1).float() - MEAN) / STD
    maps = alleviate(model.backbone.plugins['layer2'][0], model.backbone.trunk(x))
    masks = torch.sigmoid(model.neck.masks(maps))
    pooled = [(masks[:, k : k + 1] * maps).mean((2, 3)) for k in range(6)]
    embedding = torch.cat([*pooled, maps.mean((2, 3))], 1)
    feature = model.neck.bn(embedding)
    loss = F.cross_entropy(feature @ model.head.classifier.weight.T, labels)
    for key, other, rows in (
        ('visible', 'infrared', slice(6)),
        ('infrared', 'visible', slice(6, 12)),
    ):
        own = feature[rows] @ heads.students[key].classifier.weight.T
        taught = (feature[rows] @ heads.teachers[other].classifier.weight.T).detach()
        loss = loss + F.cross_entropy(own, labels[rows])
        loss = loss + 2.5 * divergence(own.softmax(1), taught.softmax(1))
    overlaps = [
        (masks[:, a] * masks[:, b]).sum((1, 2)).mean() for a, b in combinations(range(6), 2)
    ]
    loss = loss + center_cluster(embedding) + 0.5 * sum(overlaps) / 15
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_three_iterations_equal_a_handwritten_loop(training_batch, equals_handwritten):
    hook = HOOKS.build(CONFIG.default_hooks.teacher)
    model = build()
    start = copy.deepcopy(model.modality_heads.teachers)
    batch = training_batch(3, 2, size=(48, 32))
    equals_handwritten(model, batch, LABELS, handwritten_step, hook)
    teachers = model.modality_heads.teachers
    assert not torch.equal(
        start['visible'].classifier.weight, teachers['visible'].classifier.weight
    )


def test_the_rates_of_the_teachers():
    hook = HOOKS.build(CONFIG.default_hooks.teacher)
    assert isinstance(hook, TeacherHook)
    for epoch in (1, 50, 99, 100, 120, 140):  # as the release counts
        expected = 0.2 * min(100 / (epoch + 1), 1)
        assert hook.rate_at(epoch - 1) == pytest.approx(expected)


@pytest.mark.parametrize(
    ('config', 'steps'), [('mpanet/mpanet_sysu.py', (80, 120)), ('mpanet/mpanet_regdb.py', (110,))]
)
def test_rates_equal_the_released_table(config, steps, rate_table):
    table = rate_table(config)
    assert len(table) == 140
    for epoch, groups in enumerate(table):
        expected = 3.5e-4 * 0.1 ** sum(epoch >= step for step in steps)
        assert [group['lr'] for group in groups.values()] == pytest.approx([expected] * len(groups))
        assert {group['weight_decay'] for group in groups.values()} == {5e-4}


@pytest.mark.parametrize(
    ('name', 'trained', 'registered'),
    [('mpanet_sysu', 41_178_182, 52_517_958), ('mpanet_regdb', None, 38_970_438)],
)
def test_as_many_parameters_as_released(name, trained, registered):
    cfg = Config.fromfile(ROOT / f'configs/mpanet/{name}.py').model
    cfg.backbone.init_cfg = None
    with torch.device('meta'):
        model = MODELS.build(cfg)
    parameters = list(model.parameters())
    assert sum(p.numel() for p in parameters) == registered
    if trained:
        assert sum(p.numel() for p in parameters if p.requires_grad) == trained
        assert sum(p.numel() for p in model.backbone.parameters()) == 24_163_392


def test_the_feature_is_the_one_after_the_neck_and_needs_no_teacher(training_batch):
    model = build(unit_features=False).eval()
    inputs = model.data_preprocessor(training_batch(3, 2, size=(48, 32)))['inputs']
    feature = model.neck(model.backbone(inputs)).feature
    model.modality_heads = model.head = None
    torch.testing.assert_close(model(inputs), feature)
    assert feature.shape == (12, 7 * 128)


def test_without_heads_there_are_no_terms_of_them(training_batch):
    weights = dict(identity=1.0, modality_identity=0.0, teaching=0.0, center=1.0, separation=0.0)
    model = build(modality_heads=None, loss_weights=weights)
    batch = model.data_preprocessor(training_batch(3, 2, size=(48, 32)))
    assert set(model(**batch, mode='loss')) == {'loss_identity', 'loss_center'}
    with pytest.raises(ValueError, match='`loss_weights.modality_identity` is 1.0 with `modality_'):
        build(modality_heads=None)
    weights = dict(MODEL['loss_weights'], modality_identity=0.0)
    with pytest.raises(ValueError, match='`loss_weights.teaching` is 2.5 with `modality_heads` N'):
        build(modality_heads=None, loss_weights=weights)


def test_regdb_is_compared_by_lengths_too():
    cfg = Config.fromfile(ROOT / 'configs/mpanet/mpanet_regdb.py')
    assert not cfg.model.unit_features and cfg.test_evaluator.distance == 'euclidean'
    sampler = cfg.train_dataloader.batch_sampler
    assert (sampler.num_ids, sampler.num_instances, sampler.num_batches) == (12, 5, 34)
    assert CONFIG.train_dataloader.batch_sampler.num_batches == 183
    assert CONFIG.test_evaluator.gallery == 'official'


def test_interrupted_equals_straight(resumes_exactly):
    resumes_exactly(str(ROOT / 'configs/mpanet/mpanet_synthetic.py'))


class Alleviation(nn.Module):
    """MAM under the release's names."""

    def __init__(self, channels):
        super().__init__()
        inner = channels // 16
        self.channel_attention = nn.Sequential(
            nn.Conv2d(channels, inner, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(inner, channels, 1, bias=False),
        )

    def forward(self, x):
        return alleviate(self, x)


class Released(nn.Module):
    """The network of the release from its description, on a small ResNet."""

    def __init__(self, num_ids):
        super().__init__()
        self.backbone = torchvision.models.resnet18(weights=None)
        self.backbone.layer4[0].conv1.stride = self.backbone.layer4[0].downsample[0].stride = (1, 1)
        self.backbone.MAM3, self.backbone.MAM4 = Alleviation(256), Alleviation(512)
        self.spatial_attention = nn.Conv2d(512, 6, 1)
        self.bn_neck = nn.BatchNorm1d(7 * 512)
        for name in ('', 'visible_', 'infrared_'):
            self.add_module(f'{name}classifier', nn.Linear(7 * 512, num_ids, bias=False))
            if name:
                self.add_module(f'{name}classifier_', nn.Linear(7 * 512, num_ids, bias=False))
        for module in self.modules():  # so that statistics matter
            if hasattr(module, 'running_var'):
                nn.init.uniform_(module.running_var, 0.5, 2)
                nn.init.normal_(module.running_mean, std=0.1)

    def forward(self, image):
        net = self.backbone
        x = net.maxpool(net.relu(net.bn1(net.conv1(image))))
        x = net.MAM3(net.layer3(net.layer2(net.layer1(x))))
        x = net.MAM4(net.layer4(x))
        masks = torch.sigmoid(self.spatial_attention(x))
        parts = [(masks[:, k : k + 1] * x).mean((2, 3)) for k in range(6)]
        return self.bn_neck(torch.cat([*parts, x.mean((2, 3))], 1))


@pytest.fixture
def released():
    torch.manual_seed(0)
    return Released(num_ids=7).double().eval()


def test_features_equal_those_of_the_released_network(released, monkeypatch):
    monkeypatch.setattr(torch.Tensor, 'float', torch.Tensor.double)  # guards against half precision
    plugins = dict(layer3=ALLEVIATION, layer4=ALLEVIATION)
    backbone = dict(type='TwoStreamResNet', depth=18, split='none', plugins=plugins)
    head = dict(type='IdentityHead', std=None, num_ids=7)
    model = build(backbone=backbone, head=head, unit_features=False).double().eval()
    file = flatten_weights(released.state_dict())
    found = convert_strictly('mpanet', file, lambda *_: model.state_dict(), 'it')
    assert found.dropped == ['backbone.fc.weight', 'backbone.fc.bias']
    model.load_state_dict(found.weights, strict=True)
    image = torch.randn(2, 3, 64, 32, dtype=torch.float64)
    with torch.no_grad():
        for modality in ('visible', 'infrared'):
            theirs = released(image)
            torch.testing.assert_close(model({modality: image}), theirs, rtol=0, atol=1e-9)
    for key in ('visible', 'infrared'):
        teacher = model.modality_heads.teachers[key].classifier.weight
        assert torch.equal(teacher, getattr(released, f'{key}_classifier_').weight)


def test_files_that_lack_something_are_refused_and_heads_per_modality_may_be_absent(released):
    def state_of(*_):
        config = dict(type='TwoStreamResNet', depth=18, split='none', plugins=plugins)
        head = dict(type='IdentityHead', std=None, num_ids=7)
        return build(backbone=config, head=head).state_dict()

    plugins = dict(layer3=ALLEVIATION, layer4=ALLEVIATION)
    state = released.state_dict()
    file = {k: v for k, v in state.items() if not k.startswith(('visible_', 'infrared_'))}
    found = convert_strictly('mpanet', file, state_of, 'it')
    assert len(found.initial) == 4
    del file['spatial_attention.bias']
    with pytest.raises(ValueError, match='expected a state dict of MPANet.*neck.masks.bias'):
        convert_strictly('mpanet', file, state_of, 'it')
    with pytest.raises(ValueError, match='expected a state dict of MPANet'):
        convert_strictly('mpanet', {'fc.weight': torch.zeros(1)}, state_of, 'it')
