import copy

import pytest
import torch
import torch.nn.functional as F

from mmvireid.datasets import noise_batch
from mmvireid.registry import MODELS

CONFIG = dict(
    type='IdentityPretraining',
    extractor=dict(type='ResNetExtractor', depth=18, num_stages=2),
    head=dict(type='IdentityHead', num_ids=3),
    identity_loss=dict(type='IdentityLoss', label_smoothing=0.1),
    loss_weights=dict(identity=2.0),
)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy(CONFIG))


@pytest.fixture
def batch():
    """Six visible images of three people."""
    batch = noise_batch((32, 16), {None: (3, 2)})
    visible = [i for i, s in enumerate(batch['data_samples']) if s.modality == 'visible']
    return dict(
        inputs=batch['inputs'][visible], data_samples=[batch['data_samples'][i] for i in visible]
    )


def handwritten_step(model, images, labels, optimizer):
    """One iteration in plain PyTorch; images are uint8 BGR."""
    mean, std = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])
    x = (images.flip(1).float() - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    logits = model.extractor.stages(x).mean((2, 3)) @ model.head.classifier.weight.T
    log_p = logits.log_softmax(1)
    truth = torch.full_like(log_p, 0.1 / 3) + 0.9 * F.one_hot(labels, 3)
    loss = -2 * (truth * log_p).sum(1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_three_iterations_equal_a_handwritten_loop(model, batch, equals_handwritten):
    labels = torch.tensor([sample.gt_label for sample in batch['data_samples']])
    equals_handwritten(model, batch, labels, handwritten_step)


def test_predictions_are_what_the_log_counts(model, batch):
    model.head.classifier.weight.data.normal_(generator=torch.Generator().manual_seed(1))
    data = model.data_preprocessor(batch)
    model.eval()
    logged = model(**data, mode='loss')['accuracy']
    samples = model(**data, mode='predict')
    right = [sample.pred_label == sample.gt_label for sample in samples]
    assert logged.item() == pytest.approx(sum(right) / 6)
    assert 0 < sum(right) < 6


def test_of_several_maps_the_last_one_counts(batch):
    model = MODELS.build(CONFIG | dict(extractor=dict(type='VGG16Features', base_channels=4)))
    images = model.data_preprocessor(batch)['inputs']
    with torch.no_grad():
        expected = model.extractor(images['visible'])[-1].mean((2, 3))
        torch.testing.assert_close(model.extract(images), expected)
