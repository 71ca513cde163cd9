import pytest
import torch

from mmvireid.models.generators import CodeDecoder


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ('hidden', 'last_stride', 'out_size'),
    [
        ([(6, 2), (5, 2)], 1, (4, 4)),
        ([(6, 2), (5, 2)], 1, (24, 8)),
        ([(6, 2), (5, 2)], 1, (20, 12)),
        ([(6, 1), (5, 2)], 2, (12, 4)),
        ([(6, 2)] * 5, 2, (64, 128)),
        ([], 1, (7, 3)),
    ],
)
def test_output_has_the_size_asked_for(hidden, last_stride, out_size):
    decoder = CodeDecoder(10, 3, out_size, 4, hidden, last_stride)
    for mode in (True, False):
        assert decoder.train(mode)(torch.randn(2, 10)).shape == (2, 3, *out_size)


@pytest.mark.parametrize('out_size', [(2, 8), (24, 6), (0, 4), (8, 3), (26, 8)])
def test_impossible_sizes_are_named(out_size):
    with pytest.raises(ValueError) as error:
        CodeDecoder(10, 3, out_size)
    assert f'`out_size` is {out_size}' in str(error.value)
    assert 'multiples of 4' in str(error.value)


def test_the_papers_decoder_has_the_parameters_of_a_sum_by_hand():
    decoder = CodeDecoder(2560, 1024, (24, 8))
    start = 256 * 6 * 2
    expected = 2560 * start + 2 * start  # fully connected without bias, BatchNorm
    expected += 256 * 256 * 16 + 2 * 256  # 4x4, 6x2 -> 12x4
    expected += 256 * 512 * 16 + 2 * 512  # 4x4, 12x4 -> 24x8
    expected += 512 * 1024 * 9 + 1024  # 3x3
    assert count(decoder) == expected == 15_737_344


def test_dropout_is_behind_the_fully_connected_layer_in_training_only():
    torch.manual_seed(0)
    decoder = CodeDecoder(10, 3, (4, 4), start_channels=500, dropout=0.2)
    zeros = (decoder.start(torch.randn(64, 10)) == 0).float().mean().item()
    assert zeros == pytest.approx(0.2, abs=0.01)
    decoder.eval()
    code = torch.randn(2, 10)
    assert (decoder.start(code) != 0).all()
    torch.testing.assert_close(decoder(code), decoder(code), rtol=0, atol=0)


def test_the_last_layer_is_linear():
    """Its bias moves the whole output by as much, into any range."""
    decoder = CodeDecoder(10, 3, (4, 4), hidden=[(8, 2)]).eval()
    code = torch.randn(2, 10)
    before = decoder(code)
    shift = torch.tensor([-100.0, 0.5, 100.0])
    decoder.layers[-1].bias.data += shift
    torch.testing.assert_close(decoder(code), before + shift[:, None, None], rtol=1e-5, atol=1e-4)
