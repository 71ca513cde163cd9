from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmvireid.registry import MODELS

CONFIGS = Path(__file__).parents[3] / 'configs/hat'
LABELS = torch.tensor([0, 0, 1, 1, 2, 2])


def build(config='hat_sysu', **values):
    """The model of a config on the first half of a ResNet-18."""
    model = Config.fromfile(CONFIGS / f'{config}.py', format_python_code=False).model
    model.backbone.update(depth=18, num_stages=2, init_cfg=None)
    model.head.num_ids = 3
    torch.manual_seed(0)
    return MODELS.build(model.to_dict() | values)


def ranking(v, i, g, weighted):
    """Anchor V: positive in I, negative in G; anchor I: in G and V; anchor G: in V and I."""
    hinges = []
    for anchors, positives, negatives in ((v, i, g), (i, g, v), (g, v, i)):
        for row, label in zip(anchors, LABELS):
            p, n = ((row - rows).norm(dim=1) for rows in (positives, negatives))
            hinges.append((0.3 + p[label == LABELS].max() - n[label != LABELS].min()).clamp(min=0))
    if not weighted:
        return sum(hinges) / 6  # three means
    total = sum(hinge.exp().item() for hinge in hinges)
    return 3 * sum(hinge.exp().item() / total * hinge for hinge in hinges)


def handwritten_step(model, images, labels, optimizer, weighted=True, invariance=1):
    """One HAT iteration in plain PyTorch; images are uint8 BGR, visible first."""
    x = images.flip(1).float()
    red, green, blue = x[:6].unbind(1)
    grey = torch.stack([0.299 * red + 0.587 * green + 0.114 * blue] * 3, dim=1)
    x = torch.cat([x[:6], grey, x[6:]])
    x = (x - torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)) / torch.tensor(
        [58.395, 57.12, 57.375]
    ).view(3, 1, 1)
    embedding = model.backbone.trunk(x).mean((2, 3))
    logits = model.neck.bn(embedding) @ model.head.classifier.weight.T
    v, g, i = embedding.chunk(3)
    loss = F.cross_entropy(logits, LABELS.repeat(3)) + ranking(v, i, g, weighted)
    loss = loss + invariance * (v - g).square().sum() / v.numel()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@pytest.mark.parametrize(
    ('config', 'terms'),
    [
        ('hat_sysu', {}),
        ('hat-unweighted_sysu', dict(weighted=False)),
        ('hat-no-invariance_sysu', dict(invariance=0)),
    ],
)
def test_three_iterations_equal_a_handwritten_loop(
    config, terms, training_batch, equals_handwritten
):
    step = partial(handwritten_step, **terms)
    equals_handwritten(build(config), training_batch(3, 2), LABELS.repeat(2), step)


def test_evaluation_has_no_grey_images(training_batch):
    model = build().eval()
    batch = training_batch(3, 2)
    found = model.predict(**model.data_preprocessor(batch))
    assert len(found) == 12
    assert all('view' not in sample for sample in found)
    data = model.data_preprocessor(batch)
    feature = model.neck.bn(model.backbone(data['inputs']).mean((2, 3)))
    torch.testing.assert_close(found[3].feature, F.normalize(feature)[3])


def test_grey_images_have_no_invariance_to_learn(training_batch):
    """What is grey already is seen twice alike."""
    batch = training_batch(3, 2)
    batch['inputs'] = batch['inputs'][:, :1].repeat(1, 3, 1, 1)
    model = build()
    terms = model.loss(**model.data_preprocessor(batch, training=True))
    assert terms['invariance'].item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    'values',
    [
        dict(data_preprocessor=None),
        dict(circle=('visible', 'infrared', 'mixed')),
        dict(circle=('visible', 'grey', 'infrared')),  # the last is not the first in grey
        dict(circle=('visible', 'visible', 'grey')),
    ],
)
def test_views_that_do_not_suit_it_are_refused(values):
    with pytest.raises(ValueError, match='HAT: `circle` is .*, expected different views'):
        build(**values)


def test_a_circle_of_two_is_refused_in_the_rehearsal(training_batch):
    model = build(circle=('visible', 'grey'))
    with pytest.raises(ValueError, match='2 and 2 groups, expected three'):
        model.rehearse(**model.data_preprocessor(training_batch(3, 2), training=True))
