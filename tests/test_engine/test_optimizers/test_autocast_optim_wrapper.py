import torch

from mmvireid.engine.optimizers import AutocastOptimWrapper


def test_forward_in_bf16_updates_in_float32():
    torch.manual_seed(0)
    layer = torch.nn.Linear(4, 1)
    before = layer.weight.detach().clone()
    wrapper = AutocastOptimWrapper(torch.optim.SGD(layer.parameters(), lr=0.1))
    x = torch.randn(8, 4)
    with wrapper.optim_context(layer):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    assert layer(x).dtype == torch.float32  # the context ends
    wrapper.update_params(y.float().sum())
    assert layer.weight.dtype == torch.float32
    torch.testing.assert_close(layer.weight, before - 0.1 * x.sum(0), rtol=0.02, atol=0.02)
