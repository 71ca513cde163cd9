import copy

import pytest
import torch
import torch.nn.functional as F

from mmvireid.models.generators import PrototypeEncoder
from mmvireid.registry import MODELS


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    return PrototypeEncoder(2, num_blocks=2, dilations=(1, 2))


@pytest.fixture
def images():
    return torch.randn(3, 3, 16, 12, generator=torch.Generator().manual_seed(0))


def test_has_the_released_size():
    with torch.device('meta'):
        encoder = MODELS.build(dict(type='PrototypeEncoder'))
        found = encoder(torch.empty(2, 3, 256, 128))
    assert sum(p.numel() for p in encoder.parameters()) == 1_520_448
    assert found.shape == (2, 256, 64, 32)
    assert encoder.out_channels == 256
    assert set(dict(encoder.named_parameters())) == set(encoder.state_dict())  # no statistics


def test_equals_functional_calls(tiny, images):
    for parameter in tiny.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    state = iter(tiny.state_dict().values())

    def layer(x, weight, bias, stride=1, dilation=1):
        """Reflected border, convolution, mean 0 and variance 1 of each image's channels."""
        x = F.pad(x, (weight.shape[-1] // 2 * dilation,) * 4, mode='reflect')
        x = F.conv2d(x, weight, bias, stride=stride, dilation=dilation)
        variance = x.var((2, 3), keepdim=True, correction=0)
        return (x - x.mean((2, 3), keepdim=True)) / (variance + 1e-5).sqrt()

    def activate(x):
        return torch.maximum(x, 0.3 * x)

    def convolution():
        return next(state), next(state)

    x = images
    for stride in (2, 1, 1, 2):
        x = activate(layer(x, *convolution(), stride))
    for _ in range(2):
        y = activate(layer(x, *convolution()))
        x = x + layer(y, *convolution())
    plain, *branches = [layer(x, *convolution()) for _ in range(3)]
    for index, dilation in enumerate((1, 2)):
        branches[index] = layer(activate(branches[index]), *convolution(), dilation=dilation)
    expected = layer(torch.cat([plain, *branches], dim=1), *convolution())
    assert next(state, None) is None
    assert expected.shape == (3, 16, 4, 3)
    torch.testing.assert_close(tiny(images), expected, rtol=1e-4, atol=1e-5)


def test_pooling_a_prototype_gives_nothing(tiny, images):
    prototypes = tiny(100 + 5 * images)
    torch.testing.assert_close(prototypes.mean((2, 3)), torch.zeros(3, 16), rtol=0, atol=1e-5)
    assert (prototypes.std((2, 3)) > 0.5).all()


def test_images_are_encoded_one_by_one_in_training_as_in_evaluation(tiny, images):
    together = tiny(images)
    alone = torch.cat([tiny.eval()(image[None]) for image in images])
    torch.testing.assert_close(together, alone)


def test_weights_are_drawn_by_fan_in():
    torch.manual_seed(0)
    for name, value in PrototypeEncoder(16).state_dict().items():
        if name.endswith('bias'):
            assert not value.any(), name
        else:
            expected = (2 / value[0].numel()) ** 0.5
            assert value.std().item() == pytest.approx(expected, rel=0.1), name


def test_twins_are_equal_until_one_of_them_learns(tiny, images):
    tiny(images)
    twin = copy.deepcopy(tiny)
    for network in (tiny, twin):
        network.init_weights()
    assert torch.equal(tiny(images), twin(images))
    with torch.no_grad():
        twin.fuse.weight.neg_()
    torch.testing.assert_close(tiny(images), -twin(images))


def test_gradient_reaches_every_pixel_and_weight(tiny, images):
    images.requires_grad_()
    tiny(images).pow(3).sum().backward()
    assert (images.grad != 0).any(dim=1).all()
    for name, parameter in tiny.named_parameters():
        assert parameter.grad.any(), name


def test_runs_in_half_precision(tiny, images):
    with torch.autocast('cpu', torch.bfloat16):
        found = tiny(images)
        found.float().pow(3).sum().backward()
    torch.testing.assert_close(found.float(), tiny(images), rtol=0.2, atol=0.2)
    assert all(p.grad.isfinite().all() for p in tiny.parameters())


@pytest.mark.parametrize(
    ('dilations', 'smallest'), [((3, 6, 9), 37), ((9, 3), 37), ((2,), 9), ((1,), 5), ((), 5)]
)
@pytest.mark.parametrize('flipped', [False, True])
def test_images_too_small_for_reflection_are_named(dilations, smallest, flipped):
    encoder = PrototypeEncoder(1, num_blocks=1, dilations=dilations)
    largest, step = max(dilations, default=1), -1 if flipped else 1
    good, bad = (smallest, smallest)[::step], (2 * smallest, smallest - 1)[::step]
    encoder.check_size(good)
    assert encoder(torch.rand(1, 3, *good)).shape == (1, 8, largest + 1, largest + 1)
    with pytest.raises(
        ValueError,
        match=rf'PrototypeEncoder: `input_size` is \({bad[0]}, {bad[1]}\), expected at least '
        rf'{smallest} .* dilation of {largest} needs',
    ):
        encoder.check_size(bad)
    with pytest.raises(RuntimeError, match='Padding size should be less'):
        encoder(torch.rand(1, 3, *bad))
