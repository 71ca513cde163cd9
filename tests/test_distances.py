import pytest
import torch

from mmvireid.distances import pairwise_distance, row_distance, unit_rows


def rows(count, size=7, seed=0, dtype=torch.float64):
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_equals_the_norm_of_every_difference():
    x, y = rows(5), rows(3, seed=1)
    expected = torch.stack([torch.stack([(a - b).norm() for b in y]) for a in x])
    torch.testing.assert_close(pairwise_distance(x, y), expected)
    torch.testing.assert_close(pairwise_distance(x, y, squared=True), expected**2)


def test_gradient_equals_finite_differences():
    x, y = rows(4).requires_grad_(), rows(3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(pairwise_distance, (x, y))


def test_coinciding_rows_give_the_floor_and_a_finite_gradient():
    x = torch.ones(2, 4, requires_grad=True)
    distance = pairwise_distance(x, x)
    assert torch.equal(distance, torch.full((2, 2), 1e-6))
    distance.sum().backward()
    assert torch.equal(x.grad, torch.zeros(2, 4))


def test_autocast_keeps_float32():
    x, y = rows(4, 256, dtype=torch.float32), rows(3, 256, seed=1, dtype=torch.float32)
    expected = pairwise_distance(x, y)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        distance = pairwise_distance(x, y)
    assert torch.equal(distance, expected)


def test_half_precision_input_is_raised_to_float32():
    x = rows(4, dtype=torch.float32).half()
    assert torch.equal(pairwise_distance(x, x), pairwise_distance(x.float(), x.float()))


@pytest.mark.parametrize('shape', [(3, 6), (7,)])
def test_shapes_that_do_not_fit_are_named(shape):
    with pytest.raises(ValueError, match=r'pairwise_distance: `x` and `y` have shapes \(2, 7\)'):
        pairwise_distance(torch.zeros(2, 7), torch.zeros(shape))


def test_ordinary_rows_are_normalised_as_ever_to_the_last_bit():
    x = rows(50, dtype=torch.float32) * torch.logspace(-9, 9, 50)[:, None]
    assert torch.equal(unit_rows(x), torch.nn.functional.normalize(x))
    out = x.clone()
    assert unit_rows(out, out=out) is out and torch.equal(out, unit_rows(x))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_rows_of_every_scale_have_length_one(dtype):
    kind = torch.finfo(dtype)
    signs = torch.tensor([[1.0, -1.0, 0.5], [0.0, 1.0, 0.0]], dtype=dtype)
    x = torch.cat([signs * scale for scale in (kind.max, kind.tiny * 4, 1.0, 0.0)])
    expected = torch.tensor([[2 / 3, -2 / 3, 1 / 3], [0, 1, 0]]).repeat(3, 1)
    expected = torch.cat([expected, torch.zeros(2, 3)])
    torch.testing.assert_close(unit_rows(x).float(), expected)
    out = unit_rows(x.float() if dtype.itemsize == 2 else x)
    torch.testing.assert_close(out.float(), expected)


def test_distances_of_rows_are_the_diagonal_of_all():
    x, y = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0)).double()
    torch.testing.assert_close(row_distance(x, y), pairwise_distance(x, y).diagonal())
    half = row_distance(x.bfloat16(), y.bfloat16())
    assert half.dtype == torch.float32
    x.requires_grad_()
    row_distance(x, x.detach()).sum().backward()
    assert torch.equal(x.grad, torch.zeros_like(x))
