import pytest
import torch

from mmvireid.models.necks import AveragePooling, ClassToken, GeMPooling, MaxPooling


def test_the_class_token_comes_first():
    tokens = torch.rand(2, 5, 3, dtype=torch.bfloat16)
    picked = ClassToken()(tokens)
    assert picked.dtype == torch.float32
    assert picked.tolist() == [tokens[n, 0].tolist() for n in range(2)]


def test_gem_equals_a_slow_loop():
    x = torch.rand(2, 3, 4, 5, dtype=torch.float64).float()
    pooled = GeMPooling(p=3)(x)
    for n in range(2):
        for c in range(3):
            values = [v**3 for v in x[n, c].flatten().tolist()]
            assert pooled[n, c].item() == pytest.approx((sum(values) / 20) ** (1 / 3), rel=1e-5)


def test_gem_of_an_empty_map_has_a_finite_gradient():
    x = torch.zeros(1, 1, 2, 2, requires_grad=True)
    pooled = GeMPooling()(x)
    pooled.sum().backward()
    assert pooled.item() == pytest.approx(1e-4)
    assert torch.isfinite(x.grad).all()


def test_gem_counts_negative_values_as_zero():
    x = torch.randn(2, 3, 4, 5, requires_grad=True)
    pooled = GeMPooling()(x)
    torch.testing.assert_close(pooled, GeMPooling()(x.relu()))
    pooled.sum().backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize('p', [1, 1.5, 3])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_gem_is_what_autograd_makes_of_its_formula_to_the_last_bit(p, dtype):
    x = torch.randn(2, 3, 4, 5).to(dtype).contiguous(memory_format=torch.channels_last)
    x[0, 0] = -1
    own, plain = (x.clone().requires_grad_() for _ in range(2))
    weights = torch.randn(2, 3)
    pooled = GeMPooling(p)(own)
    expected = (plain.float().clamp(min=0).pow(p).mean(dim=(2, 3)) + 1e-12).pow(1 / p)
    (pooled * weights).sum().backward()
    (expected * weights).sum().backward()
    assert torch.equal(pooled, expected)
    assert torch.equal(own.grad, plain.grad)


def test_gem_lies_between_mean_and_maximum():
    x = torch.rand(2, 3, 4, 5)
    mean, maximum = AveragePooling()(x), x.amax((2, 3))
    torch.testing.assert_close(GeMPooling(p=1)(x), mean)
    assert (GeMPooling(p=3)(x) > mean).all()
    assert (GeMPooling(p=3)(x) < maximum).all()
    torch.testing.assert_close(GeMPooling(p=100)(x), maximum, rtol=0.05, atol=0)


def test_pooling_is_float32_for_half_inputs():
    assert GeMPooling()(torch.rand(1, 2, 3, 3).bfloat16()).dtype == torch.float32


def test_impossible_exponent_is_named():
    with pytest.raises(ValueError, match='`p` is 0'):
        GeMPooling(p=0)


def test_maximum_equals_a_slow_loop():
    x = torch.randn(2, 3, 4, 5) - 5  # negative values count too
    pooled = MaxPooling()(x)
    expected = [[max(x[n, c].flatten().tolist()) for c in range(3)] for n in range(2)]
    assert pooled.tolist() == expected
    assert MaxPooling()(x.bfloat16()).dtype == torch.float32
