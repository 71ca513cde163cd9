import pytest
import torch
import torch.nn.functional as F

from mmvireid.models.plugins import CrossLevelAttentionPlugin, MapSize
from mmvireid.models.plugins.cross_level_attention_plugin import (
    LevelAttention,
    SharedKeyAttention,
)

SIZES = dict(stem=MapSize(4, 4), layer1=MapSize(8, 4), layer2=MapSize(8, 2))
MAPS = {
    name: torch.randn(2, size.channels, 3 * size.scale, 2 * size.scale, dtype=torch.float64)
    for name, size in SIZES.items()
}


def norm(rows, layer):
    mean, var = rows.mean(-1, keepdim=True), rows.var(-1, keepdim=True, correction=0)
    return (rows - mean) / (var + 1e-5).sqrt() * layer.weight + layer.bias


def slow(level, x, other):
    """One image, one head and one token (a channel) after the other."""
    result = []
    for n in range(len(x)):
        rows = norm(level.reduce(x)[n].flatten(1), level.norm)
        asked = rows
        if other is not None:
            asked = norm(level.other(other)[n].flatten(1), level.norm_other)
            rows = rows + 0.1 * asked
        attention = level.attention
        weights, biases = attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3)
        q, k, v = (r @ w.T + b for r, w, b in zip((asked, asked, rows), weights, biases))
        heads, width = attention.num_heads, rows.shape[1] // attention.num_heads
        mixed = torch.zeros_like(rows)
        for head in range(heads):
            own = slice(head * width, (head + 1) * width)
            for token in range(len(rows)):
                scores = torch.stack([q[token, own] @ key for key in k[:, own]]) / width**0.5
                mixed[token, own] = scores.softmax(0) @ v[:, own]
        rows = rows + attention.out_proj(mixed)
        hidden = level.mlp.fc1(norm(rows, level.norm_mixed))
        rows = rows + level.mlp.fc2(hidden * torch.sigmoid(1.702 * hidden))
        result.append(rows.view(-1, *x.shape[2:]))
    return F.conv2d(torch.stack(result), level.expand.weight, level.expand.bias)


@pytest.mark.parametrize('training', [True, False])
def test_four_levels_written_out(training):
    torch.manual_seed(0)
    plugin = CrossLevelAttentionPlugin(16, SIZES, map_size=(3, 2), num_heads=3).double()
    for parameter in plugin.parameters():
        parameter.data.normal_(0.1, 0.5)
    x = torch.randn(2, 16, 3, 2, dtype=torch.float64)
    expected = x
    for level, other in zip(plugin.levels, [*MAPS.values(), None]):
        expected = slow(level, expected, other)
    torch.testing.assert_close(plugin.train(training)(x, MAPS), expected)


def test_the_attention_is_pytorchs():
    torch.manual_seed(0)
    theirs = torch.nn.MultiheadAttention(6, 3, batch_first=True)
    ours = SharedKeyAttention(6, 3)
    ours.load_state_dict(theirs.state_dict())
    asked, values = torch.randn(2, 4, 5, 6)
    torch.testing.assert_close(ours(asked, values), theirs(asked, asked, values)[0])


def test_as_many_parameters_as_released():
    """What the release registers, less what a block owns and does not use."""
    registered = dict(stem=2_377_696, layer1=4_933_600, layer2=8_341_472, last=15_157_216)
    unused = dict(
        stem=4 * 4 * 64 * 256 + 256,
        layer1=4 * 4 * 256 * 256 + 256,
        layer2=6 * 6 * 512 * 256 + 256,
        last=6 * 6 * 1024 * 256 + 256 + 4 * 4 * 1024 * 256 + 256 + 2 * 288,
    )
    others = [MapSize(64, 4), MapSize(256, 4), MapSize(512, 2), None]
    with torch.device('meta'):
        levels = [LevelAttention(1024, 288, 32, other) for other in others]
    found = [sum(p.numel() for p in level.parameters()) for level in levels]
    assert found == [registered[name] - unused[name] for name in registered]
    kernels = [(level.other.kernel_size, level.other.padding) for level in levels[:3]]
    assert kernels == [((6, 6), (2, 2))] * 2 + [((4, 4), (1, 1))]


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (dict(map_size=(3, 2), num_heads=4), '`num_heads` is 4, expected a divisor of 6'),
        (dict(map_size=(4, 2), num_heads=4), r'`map_size` is \(4, 2\) and the map \(3, 2\)'),
    ],
)
def test_what_does_not_fit_the_images_is_named(values, message):
    with pytest.raises(ValueError, match=message):
        CrossLevelAttentionPlugin(16, SIZES, **values)(torch.zeros(2, 16, 3, 2), MAPS)


def test_an_earlier_map_that_does_not_fit_is_named():
    """Where a stride divides no side, its stages and one convolution round differently."""
    plugin = CrossLevelAttentionPlugin(16, SIZES, map_size=(3, 2), num_heads=3)
    maps = {name: values.float() for name, values in MAPS.items()}
    maps['layer2'] = maps['layer2'][:, :, 1:]
    with pytest.raises(ValueError, match=r"map of 'layer2' \(5, 4\), expected \(6, 4\)"):
        plugin(torch.zeros(2, 16, 3, 2), maps)
