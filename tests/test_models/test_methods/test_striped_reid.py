import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmvireid.models.losses import BatchHardTripletLoss, HeteroCenterLoss
from mmvireid.registry import MODELS

ROOT = Path(__file__).parents[3]
RLE = Config.fromfile(ROOT / 'configs/rle/rle_sysu.py').model.to_dict()
MEAN = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
STD = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
#: Parts in the manner of TSLFN+HC.
REDUCED = dict(
    type='StripeNeck', num_stripes=2, pooling=dict(type='MaxPooling'), channels=4, bn_bias=True
)


def build(**values):
    torch.manual_seed(0)
    config = copy.deepcopy(RLE) | dict(
        channels_last=False,
        backbone=dict(type='TwoStreamResNet', depth=18, num_stages=2, last_stride=2),
        head=dict(type='PartHeads', part=dict(type='IdentityHead'), num_ids=3),
        data_preprocessor=None,
    )
    return MODELS.build(config | values)


def images_of(batch):
    return (batch.flip(1).float() - MEAN) / STD


def handwritten_step(model, images, labels, optimizer):
    """One iteration of RLE's baseline in plain PyTorch; images are uint8 BGR, visible first."""
    visible, infrared = images_of(images).chunk(2)
    stems = model.backbone.stems
    maps = model.backbone.trunk(torch.cat([stems['visible'](visible), stems['infrared'](infrared)]))
    loss = 0
    for index, piece in enumerate([*maps.chunk(3, dim=2), maps]):
        embedding = piece.mean((2, 3))
        logits = model.neck.parts[index].bn(embedding) @ model.head.heads[index].classifier.weight.T
        triplet = BatchHardTripletLoss(0.3)(embedding, labels)  # tested with its golden values
        share = 1 / 3 if index < 3 else 1
        loss = loss + share * (F.cross_entropy(logits, labels) + triplet)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_three_iterations_of_rle_equal_a_handwritten_loop(training_batch, equals_handwritten):
    labels = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
    batch = training_batch(3, 2, size=(48, 16))
    equals_handwritten(build(), batch, labels, handwritten_step)


def test_terms_of_reduced_stripes(training_batch):
    weights = dict(identity=1.0, center=1.0, joint_center=1.0)
    model = build(neck=REDUCED, triplet_loss=None, center_loss=dict(type='HeteroCenterLoss'),
                  loss_weights=weights)  # fmt: skip
    batch = model.data_preprocessor(training_batch(3, 2))
    terms = model.loss(**batch)
    labels = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
    embeddings, _ = model.neck(model.backbone(batch['inputs']))
    center = HeteroCenterLoss()
    expected = sum(center(part, labels, 6) for part in embeddings)
    torch.testing.assert_close(terms['center'], expected, rtol=1e-4, atol=1e-5)
    joint = center(torch.cat(list(embeddings), 1), labels, 6)
    torch.testing.assert_close(terms['joint_center'], joint, rtol=1e-4, atol=1e-5)
    assert set(terms) == set(weights)


@pytest.mark.parametrize('unit_parts', [False, True])
def test_the_feature_is_that_of_all_parts_in_a_row(unit_parts, training_batch):
    model = build(unit_parts=unit_parts).eval()
    inputs = model.data_preprocessor(training_batch(3, 2, size=(48, 16)))['inputs']
    _, parts = model.neck(model.backbone(inputs))
    feature = model.extract(inputs)
    assert feature.shape == (12, 4 * 128)
    if unit_parts:
        parts = [part / part.norm(dim=1, keepdim=True) for part in parts]
        assert feature.norm(dim=1).tolist() == pytest.approx([2.0] * 12)  # root of 4 parts
    torch.testing.assert_close(feature, torch.cat(list(parts), 1))


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (dict(triplet_loss=None), '`triplet_loss` is None with a weight for .triplet.'),
        (
            dict(loss_weights=dict(identity=1.0, joint_center=1.0)),
            '`center_loss` is None with a weight for .joint_center.',
        ),
        (
            dict(neck=REDUCED, loss_weights=dict(identity=1.0, whole_identity=1.0)),
            '`neck.whole` is False with a weight for .whole_identity.',
        ),
    ],
)
def test_weights_of_what_is_not_there_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        build(**values)


def test_stripes_that_do_not_divide_the_map_are_refused(training_batch):
    model = build()
    batch = model.data_preprocessor(training_batch(3, 2, size=(64, 16)))
    with pytest.raises(ValueError, match='`num_stripes` is 3 with feature maps of 8 rows'):
        model.loss(**batch)


@pytest.mark.parametrize(
    ('config', 'count'),
    [('rle_sysu', 26_761_600), ('rle_regdb', 9_400_704), ('rle_llcm', 29_366_656)],
)
def test_rle_has_as_many_parameters_as_released(config, count):
    cfg = Config.fromfile(ROOT / f'configs/rle/{config}.py').model
    cfg.backbone.init_cfg = None
    with torch.device('meta'):
        model = MODELS.build(cfg)
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == count
