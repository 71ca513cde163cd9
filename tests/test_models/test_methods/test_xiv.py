from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmvireid.registry import MODELS

CONFIGS = Path(__file__).parents[3] / 'configs/xiv'
LABELS = torch.tensor([0, 0, 1, 1, 2, 2])


def build(config='xiv_sysu', **values):
    """The model of a config on the first half of a ResNet-18, where nothing is erased."""
    model = Config.fromfile(CONFIGS / f'{config}.py', format_python_code=False).model
    model.backbone.update(depth=18, num_stages=2, init_cfg=None)
    model.head.num_ids = 3
    torch.manual_seed(0)
    return MODELS.build(model.to_dict() | dict(data_preprocessor=None) | values)


def make_x(generator, visible):
    """Pixel by pixel: a sum of the channels, and multiples of what is positive of it."""
    first, _, last = generator.layers
    grey = (visible * first.weight.view(1, 3, 1, 1)).sum(1, keepdim=True) + first.bias
    return grey.clamp(min=0) * last.weight.view(1, 3, 1, 1) + last.bias.view(1, 3, 1, 1)


def smoothed_cross_entropy(logits):
    log_p = logits.log_softmax(1)
    return -(0.9 * log_p[range(6), LABELS] + 0.1 * log_p.mean(1)).mean()


def batch_hard(rows):
    total = 0
    for i, label in enumerate(LABELS):
        lengths = (rows[i] - rows).square().sum(1).clamp(min=1e-12).sqrt()
        hinge = 0.3 + lengths[label == LABELS].max() - lengths[label != LABELS].min()
        total = total + hinge.clamp(min=0) / 6
    return total


def center_triplet(a, b, distance=lambda a, b, i, j: (a[i] - b[j]).norm()):
    """t(a, b) of the release, with the distances that it means."""
    a, b = (rows.view(3, 2, -1).mean(1) for rows in (a, b))
    total = 0
    for k in range(3):
        others = [j for j in range(3) if j != k]
        nearest = min(min(distance(a, b, k, j), distance(a, b, j, k)) for j in others)
        total = total + (0.5 + distance(a, b, k, k) - nearest).clamp(min=0) / 3
    return total


def released_distance(a, b, i, j):
    """The squared lengths exchanged."""
    squared = a[j].square().sum() + b[i].square().sum() - 2 * a[i] @ b[j]
    return squared.clamp(min=1e-12).sqrt()


def handwritten_step(model, images, labels, optimizer, **distance):
    """One XIV iteration in plain PyTorch; images are uint8 BGR, visible first."""
    x = images.flip(1).float()
    x = (x - torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)) / torch.tensor(
        [58.395, 57.12, 57.375]
    ).view(3, 1, 1)
    visible, infrared = x.chunk(2)
    made = make_x(model.generator, visible)
    embedding = model.backbone.trunk(torch.cat([visible, made, infrared])).mean((2, 3))
    logits = model.neck.bn(embedding) @ model.head.classifier.weight.T
    loss = sum(map(smoothed_cross_entropy, logits.chunk(3)))
    loss = loss + sum(map(batch_hard, embedding.chunk(3)))
    v, x, i = embedding.chunk(3)
    for other in (v, x):  # as released: both orders, which are the same
        for pair in ((i, other), (other, i)):
            loss = loss + 0.1 * center_triplet(*pair, **distance)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@pytest.mark.parametrize(
    ('config', 'distance'),
    [('xiv_sysu', {}), ('xiv-released-loss_sysu', dict(distance=released_distance))],
)
def test_three_iterations_equal_a_handwritten_loop(
    config, distance, training_batch, equals_handwritten
):
    step = partial(handwritten_step, **distance)
    equals_handwritten(build(config), training_batch(3, 2), LABELS.repeat(2), step)


def test_every_term_teaches_the_generator(training_batch):
    model = build()
    terms = model.loss(**model.data_preprocessor(training_batch(3, 2)))
    for name, term in terms.items():
        grads = torch.autograd.grad(term, model.generator.parameters(), retain_graph=True)
        assert all(grad.abs().sum() > 0 for grad in grads), name


def test_evaluation_has_no_third_modality(training_batch):
    """The feature is the one before the BN-neck."""
    model = build().eval()
    model.generator = None
    inputs = model.data_preprocessor(training_batch(3, 2))['inputs']
    embedding = model.backbone(inputs).mean((2, 3))
    torch.testing.assert_close(model(inputs), F.normalize(embedding))
    assert len(embedding) == 12


def test_without_a_generator_two_modalities_are_compared(training_batch):
    model = build(generator=None)
    data = model.data_preprocessor(training_batch(3, 2))
    terms = model.loss(**data)
    visible, infrared = model.neck(model.backbone(data['inputs']))[0].chunk(2)
    torch.testing.assert_close(terms['center'], center_triplet(infrared, visible))
    torch.testing.assert_close(terms['triplet'], batch_hard(visible) + batch_hard(infrared))


@pytest.mark.parametrize(
    ('name', 'value', 'relu'),
    [
        ('xiv_sysu', 0.874457502282, True),
        ('xiv-released-loss_sysu', 1.935801706528, True),
        ('xiv-released_sysu', 1.935801706528, False),
    ],
)
def test_the_meant_and_the_released(name, value, relu, golden_batch):
    cfg = Config.fromfile(CONFIGS / f'{name}.py').model
    loss = MODELS.build(cfg.center_loss)
    assert loss(*golden_batch(1), 32).item() == pytest.approx(value, abs=1e-10)
    with torch.device('meta'):
        trunk = MODELS.build(dict(cfg.backbone, init_cfg=None)).trunk
    assert isinstance(trunk.relu, torch.nn.ReLU) == relu


def test_erased_rectangles_have_imagenets_mean_as_a_normalised_colour():
    cfg = Config.fromfile(CONFIGS / 'xiv_sysu.py').model
    (step,) = cfg.data_preprocessor.common
    preprocessor = MODELS.build(dict(type='ReIDDataPreprocessor', common=[dict(step, prob=1.0)]))
    torch.manual_seed(0)
    (view,) = preprocessor.views['visible']
    erased = view.augment('normalized', torch.full((8, 3, 32, 16), 9.0), [None] * 8)
    colours = erased.permute(0, 2, 3, 1).reshape(-1, 3).unique(dim=0)
    expected = torch.tensor([[0.485, 0.456, 0.406], [9.0] * 3])
    torch.testing.assert_close(colours, expected)
    share = (erased[:, 0] < 1).float().mean((1, 2))
    assert share.min() > 0.01 and share.max() < 0.45


def test_further_views_are_refused():
    views = dict(visible={}, grey=dict(modality='visible'))
    with pytest.raises(ValueError, match=r'`data_preprocessor.views` are .*grey.* expected one of'):
        build(data_preprocessor=dict(views=views))


def test_triplets_within_a_modality_need_two_images_of_it(training_batch):
    """With one, an image would be its own hardest positive, and X a second visible image."""
    model = build()
    data = model.data_preprocessor(training_batch(3, 1))
    with pytest.raises(ValueError, match='single image among the visible ones .*num_instances'):
        model.loss(**data)
    model.loss_weights['triplet'] = 0.0
    assert model.loss(**data)['center'] > 0
