import copy
import io

import pytest
import torch
from torch import nn

from mmvireid.models.layers import Companion


class Owner(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.companion = Companion(nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2)))


@pytest.fixture
def owner():
    torch.manual_seed(0)
    return Owner()


def test_it_is_no_part_of_its_owner(owner):
    assert set(owner.state_dict()) == {'layer.weight', 'layer.bias'}
    assert {name for name, _ in owner.named_parameters()} == {'layer.weight', 'layer.bias'}
    assert list(owner.buffers()) == []
    assert not any(isinstance(module, nn.BatchNorm2d) for module in owner.modules())
    owner.load_state_dict(Owner().state_dict())  # strict: nothing is missing


def test_it_goes_where_its_owner_goes(owner):
    conv = owner.companion.network[0]
    owner.double()
    assert conv.weight.dtype == owner.companion.network[1].running_mean.dtype == torch.float64
    owner.to(memory_format=torch.channels_last)
    assert conv.weight.is_contiguous(memory_format=torch.channels_last)
    owner.to('meta')
    assert conv.weight.device.type == 'meta'


def test_it_stays_frozen_and_in_evaluation_mode(owner):
    image = torch.randn(2, 3, 4, 4, requires_grad=True)
    before = owner.companion(image)
    owner.train().requires_grad_(True)
    owner.companion(image).sum().backward()
    torch.testing.assert_close(owner.companion(image), before)  # no statistics have moved
    assert image.grad.abs().sum() > 0
    assert all(
        parameter.grad is None and not parameter.requires_grad
        for parameter in owner.companion.network.parameters()
    )


def test_a_copy_has_its_own(owner):
    twin = copy.deepcopy(owner).double()
    network, other = owner.companion.network, twin.companion.network
    assert network is not other
    assert network[0].weight.dtype == torch.float32
    torch.testing.assert_close(network[0].weight.double(), other[0].weight)


def test_a_checkpoint_is_as_large_as_without_it(owner):
    owner.companion.hold(nn.Linear(1000, 1000))
    file = io.BytesIO()
    torch.save(owner.state_dict(), file)
    assert file.tell() < 10_000


def test_without_a_network_it_moves_too():
    assert Companion().double().network is None
