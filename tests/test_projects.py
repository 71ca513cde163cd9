"""The projects work as their READMEs say, from a config and without touching the package."""

import copy
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from mmvireid.engine.runner import build_runner
from mmvireid.evaluation import FeatureSet
from mmvireid.models.base import Stage
from mmvireid.registry import MODELS
from mmvireid.structures import ReIDDataSample

ROOT = Path(__file__).parents[1]
EPS = 1e-3  # of Adam: a larger one than usual, or it would blow rounding errors up to full steps


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch):
    """``custom_imports`` of a project starts from the folder that commands are run in."""
    monkeypatch.syspath_prepend(str(ROOT))


def test_a_plugin_reaches_the_registries():
    cfg = Config.fromfile(ROOT / 'projects/example_project/configs/agw-cosine_synthetic.py')
    assert 'projects.example_project.example_project' in sys.modules
    model = MODELS.build(cfg.model)
    assert type(model.triplet_loss).__name__ == 'CosineTripletLoss'

    # four unit vectors at known angles: identity 0 at 0 and 60 degrees, identity 1 at 90 and 180
    angles = torch.deg2rad(torch.tensor([0.0, 60.0, 90.0, 180.0]))
    embeddings = 5 * torch.stack([angles.cos(), angles.sin()], dim=1)
    loss = model.triplet_loss(embeddings, torch.tensor([0, 0, 1, 1]))
    cos = lambda degrees: torch.deg2rad(torch.tensor(float(degrees))).cos().item()  # noqa: E731
    hinges = [
        0.3 + (1 - cos(60)) - (1 - cos(90)),  # anchor at 0
        0.3 + (1 - cos(60)) - (1 - cos(30)),  # at 60
        0.3 + (1 - cos(90)) - (1 - cos(30)),  # at 90
        0.3 + (1 - cos(90)) - (1 - cos(120)),  # at 180
    ]
    assert loss.item() == pytest.approx(sum(max(0, h) for h in hinges) / 4, abs=1e-5)


@pytest.fixture
def cmgan(tiny_model):
    """cmGAN's config on rendered data made tiny, in float32: the model and its optimisers."""
    cfg = Config.fromfile(ROOT / 'projects/cmgan/configs/cmgan_synthetic.py')
    tiny_model(cfg.model, num_ids=3, num_stages=2, hidden_channels=8)
    cfg.model.loss_weights.adversarial = 0.5  # not to be overlooked
    for name in ('generator', 'discriminator'):
        cfg.optim_wrapper[name].type = 'OptimWrapper'
        cfg.optim_wrapper[name].optimizer.eps = EPS
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).train()
    return model, build_optim_wrapper(model, cfg.optim_wrapper)


class HandwrittenCMGAN:
    """One iteration of cmGAN in loops and plain PyTorch."""

    def __init__(self, model):
        self.net = model
        generator = [*model.backbone.parameters(), model.neck.bn.weight, *model.head.parameters()]
        self.generator = torch.optim.Adam(generator, lr=1e-3, weight_decay=5e-4, eps=EPS)
        self.discriminator = torch.optim.Adam(
            model.discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999), eps=EPS
        )

    def embed(self, images):
        mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
        std = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
        visible, infrared = ((images.flip(1).float() - mean) / std).chunk(2)
        embedding = self.net.backbone(dict(visible=visible, infrared=infrared)).mean((2, 3))
        return embedding, self.net.neck.bn(embedding)

    @staticmethod
    def triplet_loss(embedding, y):  # hardest of the other modality, both ways
        embedding = embedding / embedding.norm(dim=1, keepdim=True)
        half, loss = len(y) // 2, 0.0
        visible, infrared = range(half), range(half, len(y))
        for anchors, others in ((visible, infrared), (infrared, visible)):
            for a in anchors:
                p = max((embedding[a] - embedding[j]).norm() for j in others if y[j] == y[a])
                n = min((embedding[a] - embedding[j]).norm() for j in others if y[j] != y[a])
                loss = loss + (p - n + 0.1).clamp(min=0) / half
        return loss

    def taken_for_visible(self, embedding):
        """Probabilities that the discriminator gives to the visible, then the infrared half."""
        x = embedding
        for index in (0, 2, 4):
            layer = self.net.discriminator.layers[index]
            x = x @ layer.weight.T + layer.bias
            x = torch.where(x < 0, 0.2 * x, x) if index < 4 else x
        return (1 / (1 + (-x[:, 0]).exp())).chunk(2)

    @staticmethod
    def update(loss, optimizer):
        parameters = optimizer.param_groups[0]['params']
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
            parameter.grad = gradient
        optimizer.step()
        return loss.item()

    def step(self, images, y):
        embedding, feature = self.embed(images)
        visible, infrared = self.taken_for_visible(embedding)
        identity = F.cross_entropy(feature @ self.net.head.classifier.weight.T, y)
        fooled = -((1 - visible).log().mean() + infrared.log().mean()) / 2
        loss = identity + self.triplet_loss(embedding, y) + 0.5 * fooled
        generator = self.update(loss, self.generator)
        visible, infrared = self.taken_for_visible(embedding.detach())
        told = -(visible.log().mean() + (1 - infrared).log().mean()) / 2
        return generator, self.update(told, self.discriminator)


def test_three_iterations_of_cmgan_equal_a_handwritten_loop(cmgan, training_batch):
    model, wrapper = cmgan
    handwritten, batch = HandwrittenCMGAN(copy.deepcopy(model)), training_batch(3, 2)
    for _ in range(3):
        logs = model.train_step(batch, wrapper)
        expected = handwritten.step(batch['inputs'], torch.tensor([0, 0, 1, 1, 2, 2] * 2))
        found = logs['generator/loss'].item(), logs['discriminator/loss'].item()
        assert found == pytest.approx(expected, rel=1e-5)
    theirs = handwritten.net.state_dict()
    for key, ours in model.state_dict().items():
        torch.testing.assert_close(ours, theirs[key], rtol=1e-4, atol=1e-5, msg=key)


@pytest.mark.parametrize(
    ('updates', 'moved'),
    [
        (('generator',), {'backbone', 'neck', 'head'}),
        (('discriminator', 'discriminator'), {'discriminator'}),
    ],
)
def test_each_update_of_cmgan_moves_its_own_networks(updates, moved, cmgan, training_batch):
    model, wrapper = cmgan
    model.enter_stage(Stage('one', updates=updates))
    before = copy.deepcopy(model.state_dict())
    model.train_step(training_batch(3, 2), wrapper)
    after = model.state_dict()
    assert {key.split('.')[0] for key in after if not torch.equal(before[key], after[key])} == moved


def test_the_discriminator_of_cmgan_learns_the_modality(cmgan, training_batch):
    model, wrapper = cmgan
    model.enter_stage(Stage('one', updates=('discriminator',)))
    batch = training_batch(3, 2)
    logs = [model.train_step(batch, wrapper) for _ in range(60)][-1]
    assert logs['discriminator/modality_accuracy'] == 1
    data = model.data_preprocessor(batch)
    embedding, _ = model.neck(model.backbone(data['inputs']))
    visible, infrared = model.discriminator(embedding).flatten().chunk(2)
    assert visible.min() > infrared.max()  # positive for visible
    # and it is the generator that now has the larger loss
    assert model.loss_generator(**data, shared={})['adversarial'] > 0.7


def test_a_resting_discriminator_keeps_its_warm_up(shrink):
    cfg = shrink(str(ROOT / 'projects/cmgan/configs/cmgan-late-critic_synthetic.py'))
    runner = Runner.from_cfg(cfg)
    rates = []

    class Rates(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            rates.append({k: rate[0] for k, rate in runner.optim_wrapper.get_lr().items()})

    runner.register_hook(Rates())
    runner.train()  # two iterations without the discriminator, then two with it
    # from a tenth of the rate to all of it, each in the first epoch in which it moves
    assert [rate['discriminator.lr'] for rate in rates[2:]] == pytest.approx([1e-4, 1e-3])
    assert [rate['generator.lr'] for rate in rates[:2]] == pytest.approx([1e-4, 1e-3])


def test_a_schedule_of_no_optimiser_is_named_before_training(shrink):
    cfg = shrink(str(ROOT / 'projects/cmgan/configs/cmgan-late-critic_synthetic.py'))
    cfg.param_scheduler = dict(critic=[], generator=[])
    message = r"`param_scheduler` is for \['critic', 'generator'\], expected the optimisers \['disc"
    with pytest.raises(ValueError, match=message):
        build_runner(cfg).train()


def test_settings_that_cannot_exist_stop_a_training_before_it_begins(shrink):
    cfg = shrink(str(ROOT / 'projects/own_data_and_metric/configs/agw-circle_own.py'))
    cfg.val_evaluator.protocol.cameras = [9]
    runner = build_runner(cfg)
    with pytest.raises(ValueError, match='has no gallery images, expected some'):
        runner.train()
    assert runner.iter == 0


@pytest.fixture
def own():
    """The plugin with a data set, a protocol, a metric and a loss."""
    return importlib.import_module('projects.own_data_and_metric.own_data_and_metric')


@pytest.fixture
def exchange():
    return importlib.import_module('projects.channel_exchange.channel_exchange')


def test_channels_are_exchanged_in_all_orders(exchange):
    torch.manual_seed(0)
    images = torch.rand(60, 3, 4, 2)
    changed = exchange.ChannelPermutationAugmentation()(images, [ReIDDataSample()] * 60)
    orders = set()
    for image, new in zip(images, changed):
        orders.add(tuple([torch.equal(plane, old) for old in image].index(True) for plane in new))
    assert len(orders) == 6 and all(sorted(order) == [0, 1, 2] for order in orders)


def test_second_views_are_visible_images_with_the_labels_of_the_first(exchange, shrink):
    cfg = shrink(str(ROOT / 'projects/channel_exchange/configs/agw-exchange_synthetic.py'))
    runner = Runner.from_cfg(cfg)
    batch = next(iter(runner.build_dataloader(cfg.train_dataloader)))
    data = runner.model.data_preprocessor(batch, training=True)
    num_ids, num_instances = 4, 3
    images, labels = data['inputs'], [sample.gt_label for sample in data['data_samples']]
    half = num_ids * num_instances
    assert {key: len(part) for key, part in images.items()} == dict(visible=2 * half, infrared=half)
    assert labels[:half] == labels[half : 2 * half] == labels[2 * half :]
    pictures = runner.model.data_preprocessor.to_pictures(images['visible'])
    for original, view in zip(pictures[:half], pictures[half:]):
        assert np.array_equal(np.sort(original, axis=2), np.sort(view, axis=2))
    terms = runner.model(**data, mode='loss')
    assert set(terms) == {'loss_identity', 'loss_triplet'}


def test_the_circle_loss_equals_its_formula_in_loops(own):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(8, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    labels, scale, m = [0, 0, 1, 1, 2, 2, 2, 0], 4.0, 0.3

    def constant(value):
        return max(value.item(), 0.0)

    total = 0.0
    for i in range(8):
        positive = negative = 0.0
        for j in range(8):
            s = F.cosine_similarity(x[i], x[j], dim=0)
            if j != i and labels[j] == labels[i]:
                positive = positive + torch.exp(-scale * constant(1 + m - s) * (s - (1 - m)))
            elif labels[j] != labels[i]:
                negative = negative + torch.exp(scale * constant(s + m) * (s - m))
        total = total + torch.log1p(positive * negative) / 8
    loss = own.CircleLoss(margin=m, scale=scale)(x, torch.tensor(labels))
    assert loss.item() == pytest.approx(total.item(), rel=1e-5)
    found, expected = (torch.autograd.grad(value, x)[0] for value in (loss, total))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-6)


def test_the_metric_counts_pairs_in_the_right_order(own):
    rng = np.random.default_rng(0)
    samples = [
        dict(
            feature=torch.tensor(rng.normal(size=3)),
            person_id=int(rng.integers(3)),
            modality=('visible', 'infrared')[number % 2],
        )
        for number in range(12)
    ]
    same, different = [], []
    for a in samples[::2]:
        for b in samples[1::2]:
            pairs = same if a['person_id'] == b['person_id'] else different
            pairs.append(F.cosine_similarity(a['feature'], b['feature'], dim=0).item())
    expected = 100 * np.mean([s > d for s in same for d in different])
    metric = own.PairOrder()
    metric.process(None, samples)
    assert metric.evaluate(len(samples)) == {'pairs/order': pytest.approx(expected)}


def test_the_protocol_ranks_what_eval_features_is_given(own, load_tool, tmp_path, capsys):
    # one infrared query per person; camera 1 has the right one first, camera 2 second
    feature_set = FeatureSet(
        features=np.array([[1, 0], [0, 1], [1, 0.1], [0.1, 1], [0.6, 1], [1, 0.6]]),
        person_ids=[1, 2, 1, 2, 1, 2],
        camera_ids=[3, 3, 1, 1, 2, 2],
        modalities=['infrared'] * 2 + ['visible'] * 4,
        names=list('abcdef'),
    )
    feature_set.save(tmp_path / 'features.npz')
    load_tool('analysis_tools/eval_features.py').main(
        [
            str(tmp_path / 'features.npz'), '--protocol', 'night-to-day',
            '--imports', 'projects.own_data_and_metric.own_data_and_metric',
            '--protocol-options', 'cameras=[1,2]', '--scores', 'R1', 'mAP',
            '--out', str(tmp_path / 'out.json'),
        ]
    )  # fmt: skip
    results = json.loads((tmp_path / 'out.json').read_text())
    # by hand: a query's ranking of all is right (1), wrong, right (2 of 3): (1 + 2/3) / 2
    found = {name: (result['cmc'][0], result['mAP']) for name, result in results.items()}
    assert found == {
        'night-to-day/all': (1, pytest.approx((1 + 2 / 3) / 2)),
        'night-to-day/camera1': (1, 1),
        'night-to-day/camera2': (0, 0.5),
    }
    assert 'camera2' in capsys.readouterr().out
