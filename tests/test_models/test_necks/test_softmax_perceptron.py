import pytest
import torch
import torch.nn.functional as F

from mmvireid.models.necks import SoftmaxPerceptron


def test_golden_values():
    branch = SoftmaxPerceptron(8).double().eval()
    for parameter in branch.parameters():
        k = torch.arange(parameter.numel(), dtype=torch.float64)
        parameter.data = (0.1 * torch.sin(k + 1)).view(parameter.shape)
    grid = torch.cos(0.37 * torch.arange(32, dtype=torch.float64)).view(4, 8)
    # not by calling it, which gives float32
    found = branch.layers(grid + grid.softmax(1))
    assert found.sum().item() == pytest.approx(0.2868440775258675, abs=1e-12)
    assert found.square().sum().item() == pytest.approx(0.39022890939637495, abs=1e-12)
    torch.testing.assert_close(branch(grid), found.float())


def test_equals_the_equation():
    torch.manual_seed(0)
    branch = SoftmaxPerceptron(6, expansion=2).eval()
    norm, first, _, _, second, _ = branch.layers
    v = torch.randn(3, 6)
    shifted = v + v.exp() / v.exp().sum(1, keepdim=True)
    scaled = F.layer_norm(shifted, (6,), norm.weight, norm.bias)
    hidden = scaled @ first.weight.T + first.bias
    hidden = 0.5 * hidden * (1 + torch.erf(hidden / 2**0.5))
    torch.testing.assert_close(branch(v), hidden @ second.weight.T + second.bias)


def test_dropout_is_for_training_alone():
    torch.manual_seed(0)
    branch, v = SoftmaxPerceptron(64, dropout=0.5), torch.randn(3, 64)
    dropped = (branch(v) == 0).float().mean().item()
    assert 0.3 < dropped < 0.7
    assert (branch.eval()(v) != 0).all()


def test_as_large_as_released():
    with torch.device('meta'):
        count = sum(p.numel() for p in SoftmaxPerceptron(2048).parameters())
    assert count == 4096 + 2048 * 8192 + 8192 + 8192 * 2048 + 2048
