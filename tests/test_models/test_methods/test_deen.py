import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmvireid.models.losses import CenterPairMiningLoss
from mmvireid.registry import MODELS
from mmvireid.structures import ReIDDataSample

ROOT = Path(__file__).parents[3]
CONFIG = Config.fromfile(ROOT / 'configs/deen/deen_sysu.py').model.to_dict()
LABELS = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
MFA = dict(type='FeatureAggregationPlugin')
DEE = dict(type='EmbeddingExpansionPlugin', dropout=0.0)
PLUGINS = dict(layer1=[MFA, DEE])


def build(plugins=None, **values):
    """DEEN on a small network, without what is drawn."""
    torch.manual_seed(0)
    config = copy.deepcopy(CONFIG) | values
    config.update(
        channels_last=False,
        backbone=dict(type='TwoStreamResNet', depth=18, num_stages=2, plugins=plugins or PLUGINS),
        head=dict(type='IdentityHead', num_ids=3),
        data_preprocessor=None,
    )
    return MODELS.build(config)


def normalized(images):
    """uint8 BGR -> what the network gets."""
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406],
                                                         [0.229, 0.224, 0.225]))  # fmt: skip
    return (images.flip(1).float() / 255 - mean) / std


def handwritten_step(model, images, labels, optimizer):
    """One iteration in plain PyTorch; blocks are tested with their golden values."""
    visible, infrared = normalized(images).chunk(2)
    net = model.backbone
    stem = torch.cat([net.stems['visible'](visible), net.stems['infrared'](infrared)])
    aggregation, expansion = net.plugins['layer1']
    x = aggregation(net.trunk.layer1(stem), dict(input=stem))
    first, second = expansion.branches
    maps = net.trunk.layer2(torch.cat([x, first(x), second(x)]))
    embedding = maps.mean((2, 3))
    logits = model.neck.bn(embedding) @ model.head.classifier.weight.T
    names = torch.cat([labels] * 3)
    loss = F.cross_entropy(logits, names)
    for row, name in zip(embedding, names):  # batch-hard triplets
        d = (row - embedding).square().sum(1).clamp(min=1e-12).sqrt()
        loss = loss + (0.3 + d[names == name].max() - d[names != name].min()).clamp(min=0) / 36
    own, a, b = embedding.chunk(3)
    mining = CenterPairMiningLoss()  # tested with its golden values
    loss = loss + 0.8 * sum(mining(own, branch, labels, 6) for branch in (a, b))
    loss = loss + 0.01 * (a * b).sum() / 36
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_three_iterations_equal_a_handwritten_loop(training_batch, equals_handwritten):
    equals_handwritten(build(), training_batch(3, 2), LABELS, handwritten_step)


def test_added_cosines_are_the_cosine_of_the_row(training_batch):
    """The release adds the cosines of three embeddings and of three features."""
    model = build().eval()
    inputs = model.data_preprocessor(training_batch(3, 2))['inputs']
    found = model(inputs)
    assert found.shape == (12, 6 * 128)
    released = 0
    for rows in model.neck(model.backbone(inputs)):
        for branch in rows.chunk(3):
            unit = branch / branch.norm(dim=1, keepdim=True)
            released = released + unit[:6] @ unit[6:].T
    torch.testing.assert_close(6 * found[:6] @ found[6:].T, released)
    one = model(dict(visible=inputs['visible']))  # a modality by itself, as tests have it
    torch.testing.assert_close(one, found[:6])


def test_without_branches_it_is_the_base_of_agw_with_two_features(training_batch):
    weights = dict(identity=1.0, triplet=1.0, center=None, orthogonality=None)
    values = dict(loss_weights=weights, center_loss=None, orthogonality_loss=None)
    model = build(dict(layer1=MFA), **values)
    batch = model.data_preprocessor(training_batch(3, 2), training=True)
    assert set(model(**batch, mode='loss')) == {'loss_identity', 'loss_triplet'}
    assert model(batch['inputs']).shape == (12, 2 * 128)


@pytest.mark.parametrize(
    ('plugins', 'message'),
    [
        (dict(layer1=MFA), '`loss_weights.center` is 0.8 with 0 branches, expected at least 1'),
        (
            dict(layer1=dict(DEE, num_branches=1)),
            '`loss_weights.orthogonality` is 0.01 with 1 branches, expected at least 2',
        ),
    ],
)
def test_terms_without_branches_are_refused(plugins, message, training_batch):
    model = build(plugins)
    batch = model.data_preprocessor(training_batch(3, 2), training=True)
    with pytest.raises(ValueError, match=message):
        model(**batch, mode='loss')


def test_a_loss_without_a_weight_is_refused():
    with pytest.raises(ValueError, match='`loss_weights.center` is 0.8 with `center_loss` None'):
        build(center_loss=None)


@pytest.mark.parametrize(('data', 'least'), [('sysu', 0.2), ('regdb', 0.02), ('llcm', 0.02)])
def test_images_and_batches_are_the_released_ones(data, least):
    cfg = Config.fromfile(ROOT / f'configs/deen/deen_{data}.py')
    loader = cfg.train_dataloader
    assert loader.batch_size == 48
    assert (loader.batch_sampler.num_ids, loader.batch_sampler.num_instances) == (6, 4)
    assert [step.type for step in loader.dataset.pipeline] == ['LoadReIDImage', 'PackReIDInputs']
    assert tuple(loader.dataset.pipeline[0].size) == (384, 144)
    preprocessor = cfg.model.data_preprocessor
    for view in preprocessor.views.values():
        steps = [*preprocessor.common, *view.augmentations]
        kinds = [step.type.removesuffix('Augmentation') for step in steps]
        assert kinds == ['PadCrop', 'Flip', 'Grey', 'Erasing']
        assert steps[-1].area_range[0] == least
        assert tuple(steps[-1].fill) == (0.485, 0.456, 0.406)


def test_grey_before_the_crop_is_grey_behind_it():
    """The release turns images grey first, and then gives them black borders."""
    cfg = Config.fromfile(ROOT / 'configs/deen/deen_sysu.py').model.data_preprocessor
    grey = MODELS.build(dict(cfg.views.visible.augmentations[0], prob=1.0))
    crop, flip = map(MODELS.build, cfg.common)
    images, samples = torch.rand(2, 3, 40, 30), [ReIDDataSample(), ReIDDataSample()]
    found = []
    for steps in ((grey.change, crop, flip), (crop, flip, grey.change)):
        torch.manual_seed(0)
        changed = images
        for step in steps:
            changed = step(changed, samples)
        found.append(changed)
    torch.testing.assert_close(*found)
    assert (found[0] == 0).any()


def test_interrupted_and_resumed_equals_straight(resumes_exactly):
    resumes_exactly(str(ROOT / 'configs/deen/deen_synthetic.py'))
