"""The projects work as their READMEs say, from a config and without touching the package."""

import copy
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from mmvireid.models.base import Stage
from mmvireid.registry import MODELS

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
