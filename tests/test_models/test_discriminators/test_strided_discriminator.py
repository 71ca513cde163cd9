import pytest
import torch
import torch.nn.functional as F

from mmvireid.models.discriminators import StridedDiscriminator
from mmvireid.registry import MODELS


def unit(maps):
    """Mean 0 and variance 1 per image and channel."""
    centred = maps - maps.mean((2, 3), keepdim=True)
    return centred / (maps.var((2, 3), keepdim=True, correction=0) + 1e-5).sqrt()


def test_has_the_released_size():
    with torch.device('meta'):
        net = MODELS.build(dict(type='StridedDiscriminator'))
        found = net(torch.empty(2, 3, 128, 128))
    assert sum(p.numel() for p in net.parameters()) == 11_155_392
    assert found.shape == (2, 1, 4, 4)
    assert set(dict(net.named_parameters())) == set(net.state_dict())  # no running statistics


def test_weights_are_drawn_as_released():
    for name, value in StridedDiscriminator(base_channels=16).state_dict().items():
        if name.endswith('bias'):
            assert not value.any(), name
        else:
            assert value.std().item() == pytest.approx(0.02, rel=0.15), name


@pytest.mark.parametrize(('channels', 'size'), [(3, (32, 16)), (5, (24, 12)), (5, (9, 13))])
def test_equals_functional_calls(channels, size):
    torch.manual_seed(0)
    net = StridedDiscriminator(channels, base_channels=4, num_layers=2)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    images = torch.randn(2, channels, *size)
    w1, b1, w2, b2, w3 = net.parameters()
    x = F.leaky_relu(F.conv2d(images, w1, b1, stride=2, padding=1), 0.2)
    x = F.leaky_relu(unit(F.conv2d(x, w2, b2, stride=2, padding=1)), 0.2)
    expected = F.conv2d(x, w3, padding=1)
    torch.testing.assert_close(net(images), expected)
    torch.testing.assert_close(net.eval()(images), expected)
    assert expected.shape == (2, 1, size[0] // 4, size[1] // 4)


def test_judges_feature_maps_of_resnet50():
    with torch.device('meta'):
        net = StridedDiscriminator(2048, base_channels=256, num_layers=2)
        net.check_size((24, 12))
        assert net(torch.empty(2, 2048, 24, 12)).shape == (2, 1, 6, 3)


def test_gradient_reaches_what_it_judges():
    images = torch.randn(2, 3, 16, 16, requires_grad=True)
    StridedDiscriminator(base_channels=4, num_layers=2)(images).square().sum().backward()
    assert (images.grad != 0).any(dim=1).all()


@pytest.mark.parametrize('size', [(32, 32), (63, 63), (128, 31)])
def test_inputs_that_are_too_small_are_named(size):
    net = StridedDiscriminator(base_channels=2)
    with pytest.raises(ValueError, match=r'StridedDiscriminator: `input_size` is .*\(64, 32\)'):
        net.check_size(size)
    net.check_size((64, 32))
    assert net(torch.rand(1, 3, 64, 32)).shape == (1, 1, 2, 1)
