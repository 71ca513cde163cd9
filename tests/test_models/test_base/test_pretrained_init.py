import pytest
import torch
from mmengine.model import BaseModule
from torch import nn


class Network(BaseModule):
    def __init__(self, **init_cfg):
        super().__init__(dict(type='Pretrained', **init_cfg) if init_cfg else None)
        self.layer = nn.Linear(2, 3)


@pytest.fixture
def path(tmp_path):
    def save(weights):
        torch.save(weights, tmp_path / 'x.pth')
        return str(tmp_path / 'x.pth')

    return save


def test_the_part_behind_a_prefix_is_taken_and_the_rest_is_left(path):
    other = Network()
    weights = {f'backbone.{key}': value for key, value in other.state_dict().items()}
    weights |= {'head.weight': torch.ones(5), 'layer.weight': torch.zeros(3, 2)}
    for prefix in ('backbone.', 'backbone'):
        network = Network(checkpoint=path(weights), prefix=prefix)
        network.init_weights()
        assert torch.equal(network.layer.weight, other.layer.weight)


@pytest.mark.parametrize(
    ('weights', 'message'),
    [
        ({'layer.weight': torch.ones(3, 2)}, r'1 missing: layer\.bias'),
        ({'layer.weight': torch.ones(2, 2), 'layer.bias': torch.ones(3)}, r'\(2, 2\) instead of'),
        ({'other': torch.ones(1)}, '2 missing'),
    ],
)
def test_what_is_missing_is_refused(path, weights, message):
    with pytest.raises(ValueError, match=message):
        Network(checkpoint=path(weights)).init_weights()
