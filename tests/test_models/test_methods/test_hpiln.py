import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmvireid.registry import MODELS

CONFIG = Path(__file__).parents[3] / 'configs/hpiln/hpiln_sysu.py'


@pytest.fixture(scope='module')
def cfg():
    model = Config.fromfile(CONFIG, format_python_code=False).model
    model.backbone.update(depth=18, num_stages=2, init_cfg=None)
    model.head.num_ids = 3
    model.loss_weights.update(triplet=0.5, cross_triplet=0.25)
    return model


def build(cfg):
    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy(cfg))


def hinges(d, candidates):
    """Mean hinge of all anchors, sorted by identity, two of each in either modality."""
    names = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
    found = []
    for a in range(12):
        positives = [d[a, c] for c in candidates(a) if names[c] == names[a]]
        negatives = [d[a, c] for c in candidates(a) if names[c] != names[a]]
        found.append((0.3 + max(positives) - min(negatives)).clamp(min=0))
    return torch.stack(found)


def handwritten_step(model, images, labels, optimizer):
    """One iteration in plain PyTorch; images are uint8 BGR, visible first."""
    x = images.flip(1).float() / 255
    x = (x - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor(
        [0.229, 0.224, 0.225]
    ).view(3, 1, 1)
    embedding = model.backbone.trunk(x).mean((2, 3))
    logits = model.neck.bn(embedding) @ model.head.classifier.weight.T
    d = (embedding[:, None] - embedding[None]).square().sum(2).clamp(min=1e-12).sqrt()
    across = hinges(d, lambda a: range(6, 12) if a < 6 else range(6))
    loss = F.cross_entropy(logits, labels) + 0.5 * hinges(d, lambda a: range(12)).mean()
    loss = loss + 0.25 * (across[:6].mean() + across[6:].mean())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_three_iterations_equal_a_handwritten_loop(cfg, training_batch, equals_handwritten):
    labels = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
    equals_handwritten(build(cfg), training_batch(3, 2), labels, handwritten_step)


@pytest.mark.parametrize(
    ('scale', 'globally', 'across'),
    [(0.2, 0.717675010343, 0.896532484193), (1, 2.388375051714, 2.082662420966)],
)
def test_golden_values_of_the_pentaplet(cfg, golden_batch, scale, globally, across):
    """Both parts as the config has them, on raw embeddings."""
    x, labels = golden_batch(scale)
    model = build(cfg)
    assert model.triplet_loss(x, labels).item() == pytest.approx(globally, abs=1e-10)
    assert model.cross_triplet_loss(x, labels, 32).item() == pytest.approx(across, abs=1e-10)


def test_batches_without_a_pair_are_refused(cfg, training_batch):
    model = build(cfg)
    batch = model.data_preprocessor(training_batch(1, 4))
    with pytest.raises(ValueError, match='at least two identities'):
        model(**batch, mode='loss')
