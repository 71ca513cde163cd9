import pytest
import torch

from mmvireid.models.plugins import FeatureAggregationPlugin, MapSize
from mmvireid.models.plugins.feature_aggregation_plugin import (
    ChannelAggregation,
    PositionAggregation,
)


@pytest.mark.parametrize(
    ('block', 'size', 'total', 'squares'),
    [
        (ChannelAggregation(8, 4), (4, 2), 3.555089952341442, 64.88404147153713),
        (ChannelAggregation(8, 4, 2), (2, 1), -0.8497495106622005, 18.457043902672773),
        (PositionAggregation(8, 4), (4, 2), 3.5564886914665976, 64.87812275116137),
        (PositionAggregation(8, 4), (2, 1), -0.8490837069746555, 18.458950169733416),
    ],
)
def test_golden_values(grid, fill, block, size, total, squares):
    found = fill(block)(grid(2, 8, *size), grid(2, 4, 4, 2).sin())
    assert found.sum().item() == pytest.approx(total, abs=1e-10)
    assert found.square().sum().item() == pytest.approx(squares, abs=1e-10)


def test_positions_by_the_matrix_of_all_of_them(grid, fill):
    """The attention written out for each image, with halves of maps as positions."""
    block, x, begun = fill(PositionAggregation(8, 4)), grid(2, 8, 4, 2), grid(2, 4, 8, 4).sin()
    expected = []
    for n in range(2):
        theta, phi, g = (
            conv(maps[n : n + 1]).reshape(4, -1).T
            for conv, maps in ((block.theta, x), (block.phi, begun), (block.g, begun))
        )
        attention = theta @ phi.T / len(phi)  # (4 of x, 16 of what it attends to)
        expected.append((attention @ g).T.reshape(2, 4, 2))
    expected = x + block.bn(block.out(torch.stack(expected)))
    torch.testing.assert_close(block(x, begun), expected)


def test_it_starts_as_identity(grid):
    plugin = FeatureAggregationPlugin(8, maps=dict(input=MapSize(4, 2))).double()
    x, begun = grid(2, 8, 4, 2), grid(2, 4, 8, 4)
    torch.testing.assert_close(plugin(x, dict(input=begun)), x)
    torch.nn.init.ones_(plugin.channels.bn.weight)
    assert not torch.allclose(plugin(x, dict(input=begun)), x)


@pytest.mark.parametrize(
    ('high', 'low', 'stride', 'expected'),
    [(256, 64, 1, 63_264), (512, 256, 2, 594_048), (1024, 512, 2, 2_367_744)],
)
def test_as_many_parameters_as_released(high, low, stride, expected):
    with torch.device('meta'):
        plugin = FeatureAggregationPlugin(high, maps=dict(input=MapSize(low, stride)))
    assert sum(p.numel() for p in plugin.parameters()) == expected


@pytest.mark.parametrize(('size', 'begun'), [((5, 3), (10, 6)), ((3, 2), (5, 3))])
def test_maps_without_two_halves_are_named(size, begun):
    plugin = FeatureAggregationPlugin(8, maps=dict(input=MapSize(4, 2)))
    odd = r'a map is of \(5, 3\), expected an even number of positions'
    with pytest.raises(ValueError, match=odd):
        plugin(torch.zeros(1, 8, *size), dict(input=torch.zeros(1, 4, *begun)))
