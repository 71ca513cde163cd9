import pytest
import torch
import torch.nn.functional as F

from mmvireid.models.plugins import EmbeddingExpansionPlugin


def test_golden_values(grid, fill):
    found = fill(EmbeddingExpansionPlugin(8))(grid(2, 8, 4, 2), {})
    assert found.shape == (6, 8, 4, 2)
    assert found.sum().item() == pytest.approx(5.8322636131892125, abs=1e-10)
    assert found.square().sum().item() == pytest.approx(65.93138995350384, abs=1e-10)


def test_a_branch_is_a_mean_of_dilated_convolutions(grid):
    plugin = EmbeddingExpansionPlugin(8, num_branches=1).double().eval()
    x, (branch,) = grid(2, 8, 6, 5), plugin.branches
    total = 0
    for dilation, convolution in enumerate(branch.dilated, start=1):
        kernel = torch.zeros(2, 8, 2 * dilation + 1, 2 * dilation + 1, dtype=torch.float64)
        kernel[:, :, ::dilation, ::dilation] = convolution.weight  # zeros between its values
        total = total + F.conv2d(F.pad(x, [dilation] * 4), kernel) / 3
    expected = F.conv2d(total.clamp(min=0), branch.out.weight, branch.out.bias)
    torch.testing.assert_close(plugin(x, {}), torch.cat([x, expected]))


def test_maps_are_dropped_in_training_alone(grid):
    plugin = EmbeddingExpansionPlugin(8, dropout=0.5).double()
    x = grid(2, 8, 6, 5)
    found = plugin(x, {})[:2]
    assert 0.3 < (found == 0).double().mean() < 0.7
    torch.testing.assert_close(plugin.eval()(x, {})[:2], x)


def test_as_many_parameters_as_released():
    with torch.device('meta'):
        assert sum(p.numel() for p in EmbeddingExpansionPlugin(1024).parameters()) == 14_682_112
