import pytest
import torch

from mmvireid.models.backbones import DotProductNonLocal


@pytest.mark.parametrize('inner', [1, 3])
def test_equals_the_attention_matrix_written_out(inner):
    torch.manual_seed(0)
    block = DotProductNonLocal(6, inner).double().eval()
    torch.nn.init.normal_(block.bn.weight)
    x = torch.randn(2, 6, 4, 3, dtype=torch.double)
    expected = x.clone()
    for n in range(2):
        g, theta, phi = (conv(x)[n].flatten(1) for conv in (block.g, block.theta, block.phi))
        attention = theta.T @ phi / 12  # (positions, positions)
        mixed = (attention @ g.T).T.reshape(1, inner, 4, 3)
        expected[n] += block.bn(block.out(mixed))[0]
    torch.testing.assert_close(block(x), expected)


def test_starts_as_identity():
    x = torch.randn(2, 6, 4, 3)
    torch.testing.assert_close(DotProductNonLocal(6, 3)(x), x)


@pytest.mark.parametrize('inner', [0, 7])
def test_impossible_width_is_named(inner):
    with pytest.raises(ValueError, match=f'`inner` is {inner}'):
        DotProductNonLocal(6, inner)


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
def test_maps_keep_their_memory_format(memory_format):
    x = torch.randn(2, 6, 4, 3).to(memory_format=memory_format)
    assert DotProductNonLocal(6, 1)(x).is_contiguous(memory_format=memory_format)
