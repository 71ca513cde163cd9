import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmvireid.registry import MODELS

CONFIG = Path(__file__).parents[3] / 'configs/expat/expat_sysu.py'


@pytest.fixture(scope='module')
def cfg():
    model = Config.fromfile(CONFIG, format_python_code=False).model
    model.backbone.update(depth=18, num_stages=2, init_cfg=None)
    model.head.num_ids = 3
    model.angle_loss.mining = 'hardest'  # nothing is drawn
    model.loss_weights.angle = 0.5
    return model


def build(cfg):
    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy(cfg))


def angles(cosines):
    """Anchors in rows, both sorted by identity, two of each."""
    hinges = []
    for a, row in enumerate(cosines):
        own = slice(a // 2 * 2, a // 2 * 2 + 2)
        others = torch.cat([row[: own.start], row[own.stop :]])
        hinges.append((1 + others.max().clamp(min=0) - row[own].min()).clamp(min=0))
    return torch.stack(hinges).mean().exp()


def handwritten_step(model, images, labels, optimizer):
    """One iteration in plain PyTorch; images are uint8 BGR, visible first."""
    x = images.flip(1).float() / 255
    x = (x - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor(
        [0.229, 0.224, 0.225]
    ).view(3, 1, 1)
    visible, infrared = model.backbone.trunk(x).mean((2, 3)).chunk(2)
    visible = model.neck.necks['visible'].bn(visible)
    infrared = model.neck.necks['infrared'].bn(infrared)
    chances = (torch.cat([visible, infrared]) @ model.head.classifier.weight.T).softmax(1).log()
    targets = 0.9 * F.one_hot(labels, 3) + 0.1 / 3
    cosines = F.normalize(visible) @ F.normalize(infrared).T
    loss = -(targets * chances).sum(1).mean() + 0.5 * (angles(cosines) + angles(cosines.T))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_three_iterations_equal_a_handwritten_loop(cfg, training_batch, equals_handwritten):
    labels = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
    equals_handwritten(build(cfg), training_batch(3, 2), labels, handwritten_step)


def test_the_feature_is_that_of_the_modality(cfg, training_batch):
    model = build(cfg)
    data = model.data_preprocessor(training_batch(3, 2))
    model(**data, mode='loss')  # statistics of both modalities
    model.eval()
    both = model(data['inputs'])
    for key, part in zip(data['inputs'], both.chunk(2)):
        torch.testing.assert_close(model({key: data['inputs'][key]}), part)
    visible = data['inputs']['visible']
    assert not torch.allclose(model(dict(visible=visible)), model(dict(infrared=visible)))


def test_a_term_of_weight_0_is_not_computed_and_needs_no_pairs(cfg, training_batch):
    model = build(cfg)
    batch = model.data_preprocessor(training_batch(1, 4))
    with pytest.raises(ValueError, match='at least two identities'):
        model(**batch, mode='loss')
    model.loss_weights['angle'], model.angle_loss = 0.0, None
    assert set(model(**batch, mode='loss')) == {'loss_identity'}
