import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmvireid.models.generators import TranslationGenerator
from mmvireid.registry import MODELS


@pytest.fixture
def images():
    return 2 * torch.rand(2, 3, 16, 8, generator=torch.Generator().manual_seed(0)) - 1


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    return TranslationGenerator(base_channels=4, num_blocks=2)


def test_has_the_released_size():
    with torch.device('meta'):
        net = MODELS.build(dict(type='TranslationGenerator'))
        found = net(torch.empty(2, 3, 128, 128))
    assert sum(p.numel() for p in net.parameters()) == 6_053_504
    assert found.shape == (2, 3, 128, 128)
    outputs = [
        (layer.out_channels, layer.kernel_size[0], layer.stride[0])
        for layer in net.layers
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d))
    ]
    assert outputs == [(64, 7, 1), (128, 4, 2), (256, 4, 2), (128, 4, 2), (64, 4, 2), (3, 7, 1)]


def test_weights_are_drawn_as_released():
    state = TranslationGenerator(base_channels=16).state_dict()
    for name, value in state.items():
        if value.ndim == 4:
            assert value.std().item() == pytest.approx(0.02, rel=0.1), name
        else:
            assert (value == (1 if name.endswith('weight') else 0)).all(), name


def test_equals_functional_calls(tiny, images):
    for parameter in tiny.parameters():
        nn.init.normal_(parameter, std=0.3)
    state = iter(tiny.parameters())

    def normalise(x):
        centred = x - x.mean((2, 3), keepdim=True)
        unit = centred / (x.var((2, 3), keepdim=True, correction=0) + 1e-5).sqrt()
        return unit * next(state)[:, None, None] + next(state)[:, None, None]

    x = normalise(F.conv2d(images, next(state), padding=3)).relu()
    for _ in range(2):
        x = normalise(F.conv2d(x, next(state), stride=2, padding=1)).relu()
    for _ in range(2):
        y = normalise(F.conv2d(x, next(state), padding=1)).relu()
        x = x + normalise(F.conv2d(y, next(state), padding=1))
    for _ in range(2):
        x = normalise(F.conv_transpose2d(x, next(state), stride=2, padding=1)).relu()
    expected = F.conv2d(x, next(state), padding=3).tanh()
    torch.testing.assert_close(tiny(images), expected)


@pytest.mark.parametrize(('num_downs', 'size'), [(0, (7, 5)), (1, (6, 10)), (3, (16, 40))])
def test_keeps_the_size_of_its_multiples(num_downs, size):
    net = TranslationGenerator(base_channels=2, num_downs=num_downs, num_blocks=1)
    assert net.factor == 2**num_downs
    net.check_size(size)
    assert net(torch.rand(1, 3, *size)).shape == (1, 3, *size)


@pytest.mark.parametrize('running', [False, True])
def test_translates_at_test_time_as_in_training_unless_statistics_run(running, images):
    torch.manual_seed(0)
    net = TranslationGenerator(base_channels=4, num_blocks=1, running_statistics=running)
    for step in range(3):
        net(images * step)
    before = copy.deepcopy(net.state_dict())
    with torch.no_grad():
        trained, tested = net.train()(images), net.eval()(images)
        alone = net(images[:1])
    torch.testing.assert_close(alone, tested[:1])
    assert torch.equal(trained, tested) != running
    moved = [key for key, value in net.state_dict().items() if not value.equal(before[key])]
    assert bool(moved) == running
    assert any('running_mean' in key for key in net.state_dict()) == running


def test_gradient_reaches_the_input_and_every_parameter(tiny, images):
    images.requires_grad_()
    tiny(images).square().sum().backward()
    assert (images.grad != 0).any(dim=1).all()  # every pixel counts
    assert all(p.grad is not None and p.grad.any() for p in tiny.parameters())


@pytest.mark.parametrize(
    ('size', 'message'),
    [
        ((66, 64), r'`input_size` is \(66, 64\), expected multiples of 4: .* halves it 2 times'),
        ((64, 30), 'expected multiples of 4'),
        ((4, 4), r'expected at least \(8, 4\)'),
    ],
)
def test_sizes_that_cannot_be_halved_are_named(tiny, size, message):
    with pytest.raises(ValueError, match=message):
        tiny.check_size(size)
