import copy

import pytest
import torch
from torch import nn

from mmvireid.models.layers import kept_statistics


def assert_same_buffers(net, before):
    assert set(before) == {key for key, _ in net.named_buffers()}
    for key, value in net.named_buffers():
        assert value.equal(before[key]), key


def buffers_of(net):
    return {key: value.clone() for key, value in net.named_buffers()}


@pytest.mark.parametrize('momentum', [0.1, None])
@pytest.mark.parametrize('kind', ['BatchNorm1d', 'BatchNorm2d', 'SyncBatchNorm'])
def test_output_is_training_mode_and_all_buffers_stay(kind, momentum):
    net = nn.Sequential(getattr(nn, kind)(3, momentum=momentum))
    nn.init.uniform_(net[0].weight)
    net[0].running_mean += 5  # unlike any batch's
    x = 2 + torch.randn(4, 3, 2, 2)[(...,) if kind != 'BatchNorm1d' else (..., 0, 0)]
    before = buffers_of(net)
    assert len(before) == 3  # the number of batches among them
    with kept_statistics(net):
        found = net(x)
    assert_same_buffers(net, before)
    axes = [axis for axis in range(x.ndim) if axis != 1]
    shape = [1, 3] + [1] * (x.ndim - 2)
    centred = x - x.mean(axes, keepdim=True)
    scale = net[0].weight.view(shape) / (x.var(axes, keepdim=True, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(found, centred * scale)
    net(x)  # behind the block they move again
    share = 0.1 if momentum else 1.0  # without a momentum: the mean over the batches, here one
    expected = (1 - share) * before['0.running_mean'] + share * x.mean(axes)
    torch.testing.assert_close(net[0].running_mean, expected)
    assert net[0].num_batches_tracked == 1


def test_layers_are_as_before_also_after_an_exception():
    nets = [nn.BatchNorm1d(2, track_running_stats=tracks) for tracks in (True, False, True)]
    shared = nn.Sequential(nets[0], nets[1])
    for error in (None, KeyError):
        try:
            with kept_statistics(shared, nets[2], nets[0]):
                assert not any(net.track_running_stats for net in nets)
                if error:
                    raise error
        except KeyError:
            assert error
        assert [net.track_running_stats for net in nets] == [True, False, True]


def test_frozen_layers_still_use_their_running_statistics():
    net = nn.BatchNorm1d(3).eval()
    net.running_mean += 5
    before, x = buffers_of(net), torch.randn(4, 3)
    with kept_statistics(net):
        found = net(x)
    torch.testing.assert_close(found, (x - 5) / (1 + 1e-5) ** 0.5)
    assert_same_buffers(net, before)


def test_gradients_pass_through_the_block():
    net, x = nn.BatchNorm1d(3).double(), torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    twin = copy.deepcopy(net)
    with kept_statistics(net):
        assert torch.autograd.gradcheck(net, (x,))
        net(x).square().mean().backward()
    twin(x).square().mean().backward()
    assert torch.equal(net.weight.grad, twin.weight.grad)
