import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmvireid.models.layers.reflected import (
    ReflectedResidualBlock,
    init_kaiming,
    instance_norm,
    leaky,
    reflect,
    reflect_by_selection,
    reflected_conv,
)


def mirrored(maps, padding):
    """Maps with a border that NumPy reflects."""
    widths = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return torch.from_numpy(np.pad(maps.detach().numpy(), widths, mode='reflect'))


@pytest.mark.parametrize(
    ('kernel_size', 'stride', 'dilation', 'padding'),
    [(1, 1, 1, 0), (3, 1, 1, 1), (3, 2, 1, 1), (5, 1, 1, 2), (3, 1, 3, 3)],
)
@pytest.mark.parametrize('size', [(8, 6), (7, 5)])
def test_convolution_pads_by_reflection_before(kernel_size, stride, dilation, padding, size):
    torch.manual_seed(0)
    layer = reflected_conv(2, 4, kernel_size, stride, dilation)
    maps = torch.randn(2, 2, *size)
    expected = F.conv2d(
        mirrored(maps, padding), layer.weight, layer.bias, stride=stride, dilation=dilation
    )
    found = layer(maps)
    torch.testing.assert_close(found, expected)
    assert found.shape[2:] == tuple(-(-length // stride) for length in size)


@pytest.mark.parametrize('padding', [1, 2, 5])
@pytest.mark.parametrize('pad', [reflect, reflect_by_selection])
def test_both_ways_reflect_as_numpy_does(pad, padding):
    maps = torch.randn(2, 3, 8, 6, dtype=torch.double, requires_grad=True)
    assert torch.equal(pad(maps, padding), mirrored(maps, padding))
    assert torch.autograd.gradcheck(lambda x: pad(x, padding), (maps,))


@pytest.mark.parametrize(('kernel_size', 'dilation'), [(3, 1), (5, 1), (3, 9)])
def test_maps_must_be_larger_than_the_padding(kernel_size, dilation):
    padding = dilation * (kernel_size // 2)
    layer = reflected_conv(1, 1, kernel_size, dilation=dilation)
    for size in ((padding, padding + 1), (padding + 1, padding)):
        with pytest.raises(RuntimeError, match='Padding size should be less'):
            layer(torch.rand(1, 1, *size))
    size = (padding + 1, padding + 1)
    assert layer(torch.rand(1, 1, *size)).shape == (1, 1, *size)


def test_leaky_keeps_three_tenths_of_negative_values():
    found = leaky(torch.tensor([-10.0, -1.0, 0.0, 2.0]))
    torch.testing.assert_close(found, torch.tensor([-3.0, -0.3, 0.0, 2.0]))


@pytest.mark.parametrize('shape', [(2, 3, 4, 5), (1, 1, 2, 1), (3, 2, 1, 1)])
def test_instance_norm_equals_a_loop_over_images_and_channels(shape):
    maps = 5 + torch.randn(shape, generator=torch.Generator().manual_seed(0))
    expected = [[(x - x.mean()) / np.sqrt(x.var() + 1e-5) for x in image] for image in maps.numpy()]
    torch.testing.assert_close(instance_norm(maps), torch.tensor(np.array(expected)))


def residual(block, maps, first_norm, second_norm):
    """The block by hand."""
    hidden = F.conv2d(mirrored(maps, 1), block.first.weight, block.first.bias)
    hidden = first_norm(hidden)
    hidden = torch.where(hidden > 0, hidden, 0.3 * hidden)
    hidden = F.conv2d(mirrored(hidden, 1), block.second.weight, block.second.bias)
    return maps + second_norm(hidden)


def test_residual_block_has_nothing_behind_its_sum():
    torch.manual_seed(0)
    block, maps = ReflectedResidualBlock(3), torch.randn(2, 3, 5, 4)
    same = nn.Identity()
    torch.testing.assert_close(block(maps), residual(block, maps, same, same))
    # norms that are neither linear nor alike show where each one stands
    norms = torch.exp, torch.cos
    torch.testing.assert_close(block(maps, *norms), residual(block, maps, *norms))
    torch.testing.assert_close(block(maps), residual(block, maps, same, same))  # nothing is kept


def test_kaiming_draws_weights_by_fan_in_and_leaves_other_layers():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(16, 64, 3), nn.Conv2d(256, 32, 1), nn.Linear(64, 200), nn.BatchNorm2d(4)
    )
    for parameter in network.parameters():
        nn.init.constant_(parameter, 7.0)
    init_kaiming(network)
    for layer, fan_in in zip(network, (16 * 9, 256, 64)):
        spread = layer.weight / (2 / fan_in) ** 0.5
        assert spread.std().item() == pytest.approx(1, rel=0.03)
        assert spread.mean().item() == pytest.approx(0, abs=0.05)
        assert spread.abs().max() > 3  # a uniform distribution ends at the root of 3
        assert not layer.bias.any()
    assert (network[3].weight == 7).all()
    assert (network[3].bias == 7).all()
