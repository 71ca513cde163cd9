import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmvireid.models.layers import align
from mmvireid.registry import MODELS

CONFIG = dict(
    type='LbA',
    backbone=dict(type='TwoStreamResNet', depth=18, num_stages=2),
    neck=dict(type='BNNeck', pooling=dict(type='AveragePooling')),
    head=dict(type='IdentityHead', num_ids=3),
    identity_loss=dict(type='IdentityLoss'),
    triplet_loss=dict(type='BatchHardTripletLoss', margin=0.3),
    dense_loss=dict(type='DenseTripletLoss', margin=0.3),
    loss_weights=dict(identity=1.0, triplet=0.7, aligned_identity=0.9, dense=0.5),
)
LABELS = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
POSITIVES = torch.tensor([7, 6, 8, 9, 11, 10, 0, 1, 3, 2, 4, 5])
NEGATIVES = torch.tensor([8, 11, 6, 7, 9, 8, 2, 5, 0, 1, 3, 2])


@pytest.fixture
def drawn(monkeypatch):
    """The same partners in every batch."""
    monkeypatch.setattr(
        'mmvireid.models.methods.lba.draw_cross_modality_triplets',
        lambda labels, is_visible: (POSITIVES, NEGATIVES),
    )


def build(**values):
    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy(CONFIG) | values)


def handwritten_step(model, images, labels, optimizer):
    """One iteration in plain PyTorch, but for the alignment; images are uint8 BGR."""
    x = images.flip(1).float()
    x = (x - torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)) / torch.tensor(
        [58.395, 57.12, 57.375]
    ).view(3, 1, 1)
    visible, infrared = x.chunk(2)
    stems, trunk = model.backbone.stems, model.backbone.trunk
    first = trunk.layer1(torch.cat([stems['visible'](visible), stems['infrared'](infrared)]))
    second = trunk.layer2(first)

    def classified(maps):
        logits = model.neck.bn(maps.mean((2, 3))) @ model.head.classifier.weight.T
        return F.cross_entropy(logits, labels)

    loss = classified(second)
    embedding = second.mean((2, 3))
    hinges = []
    for row, label in zip(embedding, labels):
        d = (row - embedding).square().sum(1).clamp(min=1e-12).sqrt()
        hinges.append((0.3 + d[labels == label].max() - d[labels != label].min()).clamp(min=0))
    loss = loss + 0.7 * torch.stack(hinges).mean()
    made = {}
    for name, maps in (('first', first), ('second', second)):
        made[name] = align(maps, maps[POSITIVES])
        positive, negative = made[name].maps, align(maps, maps[NEGATIVES]).maps
        gap = (maps - positive + 1e-6).norm(dim=1) - (maps - negative + 1e-6).norm(dim=1)
        loss = loss + 0.5 * (made[name].attention * (gap + 0.3).clamp(min=0)).mean()
    again = classified(trunk.layer2(made['first'].maps)) + classified(made['second'].maps)
    loss = loss + 0.9 * again
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_three_iterations_equal_a_handwritten_loop(drawn, training_batch, equals_handwritten):
    equals_handwritten(build(), training_batch(3, 2), LABELS, handwritten_step)


@pytest.mark.parametrize('term', ['aligned_identity', 'dense'])
def test_a_term_without_weight_is_not_computed(training_batch, term):
    model = build(loss_weights=CONFIG['loss_weights'] | {term: 0.0})
    terms = model.loss(**model.data_preprocessor(training_batch(3, 2), training=True))
    assert set(terms) == set(CONFIG['loss_weights']) - {term}


def test_its_feature_is_the_embedding_and_nothing_is_aligned(monkeypatch, training_batch):
    monkeypatch.setattr('mmvireid.models.methods.lba.align', None)
    model = build().eval()
    inputs = model.data_preprocessor(training_batch(3, 2))['inputs']
    expected = model.backbone(inputs).mean((2, 3))
    torch.testing.assert_close(model(inputs), F.normalize(expected))


def test_as_many_parameters_as_the_release_uses():
    """Those that AGW has without its five non-local blocks of 28,687."""
    cfg = Config.fromfile(Path(__file__).parents[3] / 'configs/lba/lba_sysu.py')
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    assert sum(p.numel() for p in model.parameters()) == 24_359_311 - 28_687


@pytest.mark.parametrize(
    'backbone',
    [
        CONFIG['backbone'] | dict(split='layer2'),
        CONFIG['backbone'] | dict(plugins=dict(layer1=dict(type='ModalityAlleviationPlugin'))),
        dict(type='VisionTransformer', feature_size=8, num_blocks=1, num_heads=2),
    ],
)
def test_a_backbone_that_cannot_be_cut_is_named(backbone):
    with pytest.raises(ValueError, match='LbA: `backbone` has plug-ins, or no stage that both'):
        build(backbone=backbone)


def test_partners_are_drawn_again_where_a_run_goes_on(resumes_exactly):
    resumes_exactly(str(Path(__file__).parents[3] / 'configs/lba/lba_synthetic.py'))
