import pytest
import torch

from mmvireid.models.plugins import StripAttentionPlugin
from mmvireid.models.plugins.strip_attention_plugin import peaks


def test_golden_values(grid, fill):
    found = fill(StripAttentionPlugin(8))(grid(2, 8, 4, 3), {})
    assert found.sum().item() == pytest.approx(0.8845378662833789, abs=1e-10)
    assert found.square().sum().item() == pytest.approx(6.028271204786585, abs=1e-10)
    found = peaks(grid(2, 8, 4, 3))
    assert found.sum().item() == pytest.approx(16)
    assert found.square().sum().item() == pytest.approx(1.74104877155769, abs=1e-10)


def test_rows_and_columns_are_weighed_each_by_a_number(grid, fill):
    x = grid(1, 8, 5, 3) + 2
    ratio = fill(StripAttentionPlugin(8))(x, {}) / x
    torch.testing.assert_close(
        ratio * ratio[:, :, :1, :1], ratio[:, :, :, :1] * ratio[:, :, :1, :]
    )  # of rank one
    assert ratio.std() > 0


def test_as_many_parameters_as_released():
    for channels, expected in ((8, 208), (1024, 98_368), (2048, 393_344)):
        with torch.device('meta'):
            parameters = StripAttentionPlugin(channels).parameters()
        assert sum(p.numel() for p in parameters) == expected


def test_a_reduction_that_is_none_is_refused():
    with pytest.raises(ValueError, match='`reduction` is 0, expected at least 1'):
        StripAttentionPlugin(32, reduction=0)
