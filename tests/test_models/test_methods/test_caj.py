import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmvireid.models.losses import SquaredDifferenceTripletLoss
from mmvireid.registry import MODELS

ROOT = Path(__file__).parents[3]
PLUS = Config.fromfile(ROOT / 'configs/caj/caj-plus_sysu.py').model.to_dict()
MEAN = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
STD = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
COPY = dict(type='ChannelCopyAugmentation', channels=(2,))


def build(views=None, **values):
    """CAJ+ on a small network, with augmentations that draw nothing."""
    torch.manual_seed(0)
    config = copy.deepcopy(PLUS) | values
    config.update(
        channels_last=False,
        backbone=dict(type='TwoStreamResNet', depth=18, num_stages=2),
        head=dict(type='IdentityHead', num_ids=3),
        data_preprocessor=dict(
            views=views
            or dict(visible={}, exchanged=dict(modality='visible', augmentations=[COPY]))
        ),
    )
    return MODELS.build(config)


def handwritten_step(model, images, labels, optimizer):
    """One CAJ+ iteration in plain PyTorch; images are uint8 BGR, visible first."""
    visible, infrared = ((images.flip(1).float() - MEAN) / STD).chunk(2)
    exchanged = visible[:, 2:].repeat(1, 3, 1, 1)
    stems = model.backbone.stems
    maps = [stems['visible'](torch.cat([visible, exchanged])), stems['infrared'](infrared)]
    embedding = (model.backbone.trunk(torch.cat(maps)).pow(3).mean((2, 3)) + 1e-12).pow(1 / 3)
    logits = model.neck.bn(embedding) @ model.head.classifier.weight.T
    weak, strong, _ = logits.chunk(3)
    soft = -(strong.detach().softmax(1) * weak.log_softmax(1)).sum(1).mean()
    triplet = SquaredDifferenceTripletLoss()(embedding, labels)  # tested with its golden values
    loss = F.cross_entropy(logits, labels) + triplet + soft
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_three_iterations_equal_a_handwritten_loop(training_batch, equals_handwritten):
    labels = torch.tensor([0, 0, 1, 1, 2, 2] * 3)
    equals_handwritten(build(), training_batch(3, 2), labels, handwritten_step)


def test_without_the_soft_term_it_is_caj(training_batch):
    model = build(soft_identity_loss=None, loss_weights=dict(identity=1.0, triplet=1.0))
    batch = model.data_preprocessor(training_batch(3, 2), training=True)
    assert set(model(**batch, mode='loss')) == {'loss_identity', 'loss_triplet'}


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (dict(views=dict(visible={})), 'expected different views of one modality'),
        (dict(soft_views=('visible', 'infrared')), 'expected different views of one modality'),
        (dict(soft_views=('visible', 'visible')), "`soft_views` is .'visible', 'visible'."),
        (dict(soft_identity_loss=None), '`loss_weights.soft_identity` is 1.0'),
    ],
)
def test_views_that_the_soft_term_does_not_expect_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        build(**values)


def test_methods_that_pair_their_images_refuse_a_second_view(training_batch):
    model = build()
    batch = model.data_preprocessor(training_batch(3, 2), training=True)
    with pytest.raises(ValueError, match='`data_preprocessor.views` are .*paired row by row'):
        model.pair_labels(batch['data_samples'])


def test_the_features_are_those_of_one_view(training_batch):
    model = build().eval()
    inputs = model.data_preprocessor(training_batch(3, 2))['inputs']
    assert len(model(inputs)) == 12


def test_the_mirrored_image_counts_as_released():
    """The sum of both features, of length one, ranks as their mean of length one does."""
    torch.manual_seed(0)
    query, gallery = torch.randn(2, 2, 9, 5).unbind()
    ours = [F.normalize(F.normalize(a) + F.normalize(b)) for a, b in (query, gallery)]
    theirs = [F.normalize((F.normalize(a) + F.normalize(b)) / 2) for a, b in (query, gallery)]
    torch.testing.assert_close(ours[0] @ ours[1].T, theirs[0] @ theirs[1].T)


def test_a_released_checkpoint_is_one_of_agws():
    """Same names and shapes: what the converter makes of the one loads into the other."""
    shapes = []
    for config in ('agw/agw_sysu.py', 'caj/caj-plus_sysu.py'):
        cfg = Config.fromfile(ROOT / 'configs' / config).model
        cfg.backbone.update(init_cfg=None, depth=18)
        cfg.backbone.non_local = dict(layer2=2)
        with torch.device('meta'):
            state = MODELS.build(cfg).state_dict()
        shapes.append({key: value.shape for key, value in state.items()})
    assert shapes[0] == shapes[1]
