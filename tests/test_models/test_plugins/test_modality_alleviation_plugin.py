import pytest
import torch

from mmvireid.models.plugins import ModalityAlleviationPlugin


def test_golden_values(grid, fill):
    found = fill(ModalityAlleviationPlugin(32))(grid(2, 32, 4, 3), {})
    assert found.sum().item() == pytest.approx(1.521423667016693, abs=1e-9)
    assert found.square().sum().item() == pytest.approx(539.1131565534306, abs=1e-9)


def test_a_mask_of_one_keeps_the_map_and_a_mask_of_zero_normalises_it(grid):
    plugin = ModalityAlleviationPlugin(32).double()
    x = grid(2, 32, 4, 3)
    first, _, last = plugin.channel_attention
    torch.nn.init.ones_(first.weight)
    ones = torch.ones_like(x)
    torch.nn.init.constant_(last.weight, 1e6)
    torch.testing.assert_close(plugin(x + ones, {}), x + ones)
    torch.nn.init.constant_(last.weight, -1e6)
    normal = plugin(x + ones, {})
    torch.testing.assert_close(normal.mean((2, 3)), torch.zeros(2, 32).double(), atol=1e-6, rtol=0)
    expected = (x - x.mean((2, 3), keepdim=True)) / (
        x.var((2, 3), keepdim=True, correction=0) + 1e-5
    ).sqrt()
    torch.testing.assert_close(normal, expected)


def test_as_many_parameters_as_released():
    for channels, expected in ((1024, 131_072), (2048, 524_288)):
        with torch.device('meta'):
            parameters = ModalityAlleviationPlugin(channels).parameters()
        assert sum(p.numel() for p in parameters) == expected


@pytest.mark.parametrize('reduction', [0, 64])
def test_a_layer_without_channels_is_refused(reduction):
    with pytest.raises(ValueError, match=f'`reduction` is {reduction}, expected 1 to 32, the chan'):
        ModalityAlleviationPlugin(32, reduction)
