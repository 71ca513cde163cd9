import pytest
import torch
from torch import nn

from mmvireid.models.layers import check_reduced_size, init_convolutions


def test_convolutions_are_drawn_and_all_else_stays():
    norm, linear = nn.InstanceNorm2d(64, affine=True), nn.Linear(4, 4)
    net = nn.Sequential(
        nn.Conv2d(3, 64, 5), nn.Sequential(norm, nn.ConvTranspose2d(64, 32, 4)), linear
    )
    before = linear.weight.clone()
    init_convolutions(net)
    for convolution in (net[0], net[1][1]):
        weight = convolution.weight.detach()
        assert weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert abs(weight.mean().item()) < 0.002
        fourth = (weight / 0.02).pow(4).mean().item()
        assert fourth == pytest.approx(3, rel=0.2)  # of a normal, 1.8 of a uniform distribution
        assert not convolution.bias.any()
    assert (norm.weight == 1).all()
    assert linear.weight.equal(before)


@pytest.mark.parametrize('size', [(8, 8), (4, 4), (16, 7), (8, 16), (9, 20), (3, 64)])
def test_size_is_refused_exactly_where_instance_norm_refuses_it(size):
    halve = nn.Sequential(*(nn.Conv2d(1, 1, 4, 2, 1) for _ in range(3)), nn.InstanceNorm2d(1))
    try:
        halve(torch.rand(1, 1, *size))
    except (ValueError, RuntimeError):
        with pytest.raises(ValueError, match=r'Some: `input_size` is .* at least \(16, 8\)'):
            check_reduced_size('Some', size, 8)
    else:
        check_reduced_size('Some', size, 8)
