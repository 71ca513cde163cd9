import copy

import pytest
import torch
from torch import nn

from mmvireid.utils import kept_statistics


@pytest.mark.parametrize('kind', ['1d', '2d'])
def test_output_is_training_mode_and_statistics_stay(kind):
    net = nn.Sequential(getattr(nn, f'BatchNorm{kind}')(3))
    nn.init.uniform_(net[0].weight)
    net[0].running_mean += 5  # unlike any batch's
    x = 2 + torch.randn(4, 3, 2, 2)[(...,) if kind == '2d' else (..., 0, 0)]
    mean, var = net[0].running_mean.clone(), net[0].running_var.clone()
    with kept_statistics(net):
        found = net(x)
    assert net[0].running_mean.equal(mean) and net[0].running_var.equal(var)
    axes = [axis for axis in range(x.ndim) if axis != 1]
    shape = [1, 3] + [1] * (x.ndim - 2)
    centred = x - x.mean(axes, keepdim=True)
    scale = net[0].weight.view(shape) / (x.var(axes, keepdim=True, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(found, centred * scale)
    net(x)  # behind the block they move again
    torch.testing.assert_close(net[0].running_mean, 0.9 * mean + 0.1 * x.mean(axes))


def test_momenta_come_back_also_after_an_exception():
    nets = [nn.BatchNorm1d(2, momentum=momentum) for momentum in (0.3, None, 0.01)]
    shared = nn.Sequential(nets[0], nets[1])
    for error in (None, KeyError):
        try:
            with kept_statistics(shared, nets[2], nets[0]):
                assert [net.momentum for net in nets] == [0, 0, 0]
                if error:
                    raise error
        except KeyError:
            assert error
        assert [net.momentum for net in nets] == [0.3, None, 0.01]


def test_frozen_layers_still_use_their_running_statistics():
    net = nn.BatchNorm1d(3).eval()
    net.running_mean += 5
    before, x = copy.deepcopy(net.state_dict()), torch.randn(4, 3)
    with kept_statistics(net):
        found = net(x)
    torch.testing.assert_close(found, (x - 5) / (1 + 1e-5) ** 0.5)
    assert all(value.equal(before[key]) for key, value in net.state_dict().items())


def test_gradients_pass_through_the_block():
    net, x = nn.BatchNorm1d(3).double(), torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    with kept_statistics(net):
        assert torch.autograd.gradcheck(net, (x,))
