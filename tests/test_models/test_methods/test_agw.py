import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from mmengine.runner import Runner

from mmvireid.registry import MODELS

CONFIG = dict(
    type='AGW',
    backbone=dict(type='TwoStreamResNet', depth=18, non_local=dict(layer2=1)),
    neck=dict(type='BNNeck', pooling=dict(type='GeMPooling')),
    head=dict(type='IdentityHead', num_ids=3),
    identity_loss=dict(type='IdentityLoss'),
    triplet_loss=dict(type='WeightedRegularizedTripletLoss'),
    loss_weights=dict(identity=1.0, triplet=0.5),
)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy(CONFIG))


def handwritten_step(model, images, labels, optimizer):
    """One AGW iteration in plain PyTorch; images are uint8 BGR, visible first."""
    x = images.flip(1).float()
    x = (x - torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)) / torch.tensor(
        [58.395, 57.12, 57.375]
    ).view(3, 1, 1)
    visible, infrared = x.chunk(2)
    stems = model.backbone.stems
    maps = model.backbone.trunk(torch.cat([stems['visible'](visible), stems['infrared'](infrared)]))
    embedding = (maps.pow(3).mean((2, 3)) + 1e-12).pow(1 / 3)
    logits = model.neck.bn(embedding) @ model.head.classifier.weight.T

    d = (
        (torch.cdist(embedding, embedding, compute_mode='donot_use_mm_for_euclid_dist') ** 2)
        .clamp(min=1e-12)
        .sqrt()
    )
    same = labels[:, None] == labels[None]
    up = torch.exp(d - (d * same).max(1, keepdim=True).values) * same
    down = torch.exp(-d) * ~same
    positive = (up / (up.sum(1, keepdim=True) + 1e-6) * d).sum(1)
    negative = (down / (down.sum(1, keepdim=True) + 1e-6) * d).sum(1)
    loss = F.cross_entropy(logits, labels) + 0.5 * F.softplus(positive - negative).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_three_iterations_equal_a_handwritten_loop(model, training_batch, equals_handwritten):
    labels = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
    equals_handwritten(model, training_batch(3, 2), labels, handwritten_step)


def test_the_logged_terms_are_weighed(model, training_batch):
    losses = model(**model.data_preprocessor(training_batch(3, 2)), mode='loss')
    assert set(losses) == {'loss_identity', 'loss_triplet'}


def test_a_term_of_weight_0_is_not_computed(model, training_batch):
    model.triplet_loss = None
    model.loss_weights['triplet'] = 0.0
    losses = model(**model.data_preprocessor(training_batch(3, 2)), mode='loss')
    assert set(losses) == {'loss_identity'}


def test_the_feature_is_the_one_after_the_neck(model, training_batch):
    model.eval()
    data = model.data_preprocessor(training_batch(3, 2))
    embedding, feature = model.neck(model.backbone(data['inputs']))
    torch.testing.assert_close(model(data['inputs']), feature / feature.norm(dim=1, keepdim=True))
    assert not torch.allclose(F.normalize(embedding), F.normalize(feature))


def test_channels_last_gives_the_same_features(training_batch):
    features = []
    for channels_last in (False, True):
        torch.manual_seed(0)
        model = MODELS.build(CONFIG | dict(channels_last=channels_last)).to('cpu').eval()
        weight = model.backbone.trunk.layer1[0].conv1.weight
        assert weight.is_contiguous(memory_format=torch.channels_last) == channels_last
        features.append(model(model.data_preprocessor(training_batch())['inputs']))
    torch.testing.assert_close(*features, rtol=1e-4, atol=1e-5)


def test_batches_that_mean_nothing_stop_a_run_before_its_first_iteration(shrink):
    config = str(Path(__file__).parents[3] / 'configs/agw/agw_synthetic.py')
    for batch_sampler in (None, dict(type='CrossModalityBatchSampler', num_ids=1, num_instances=4)):
        cfg = shrink(config)
        del cfg.train_dataloader.batch_sampler
        cfg.train_dataloader.update(batch_sampler=batch_sampler, batch_size=8)
        cfg.experiment_name += f'_{batch_sampler is None}'
        runner = Runner.from_cfg(cfg)
        with pytest.raises(ValueError, match='at least two identities per batch.* AGW compares'):
            runner.train()
        assert runner.iter == 0


def test_initialising_the_method_loads_the_imagenet_weights(tmp_path):
    resnet = torchvision.models.resnet18(weights=None)
    torch.save(resnet.state_dict(), tmp_path / 'imagenet.pth')
    config = copy.deepcopy(CONFIG)
    config['backbone']['init_cfg'] = dict(
        type='Pretrained', checkpoint=str(tmp_path / 'imagenet.pth')
    )
    model = MODELS.build(config)
    model.init_weights()
    weights = model.state_dict()
    for modality in ('visible', 'infrared'):
        assert torch.equal(weights[f'backbone.stems.{modality}.conv1.weight'], resnet.conv1.weight)
    assert torch.equal(weights['backbone.trunk.layer4.1.bn2.weight'], resnet.layer4[1].bn2.weight)
    assert weights['head.classifier.weight'].std() < 0.0015  # not touched by it
