import pytest
import torch

from mmvireid.models.necks import PartMaskNeck


def build(num_parts=3):
    torch.manual_seed(0)
    return PartMaskNeck(4, num_parts)


def test_equals_a_loop_over_positions():
    neck, x = build(), torch.randn(2, 4, 5, 3)
    embedding, _, masks = neck(x)
    weight, bias = neck.masks.weight[:, :, 0, 0], neck.masks.bias
    for i in range(2):
        parts = [0] * 4
        for y in range(5):
            for z in range(3):
                vector = x[i, :, y, z]
                m = torch.sigmoid(weight @ vector + bias)
                torch.testing.assert_close(masks[i, :, y, z], m)
                parts = [p + s * vector / 15 for p, s in zip(parts, [*m, torch.tensor(1.0)])]
        torch.testing.assert_close(embedding[i], torch.cat(parts))


def test_the_feature_is_normalised_without_a_shift():
    neck = build()
    embedding, feature, _ = neck(torch.randn(8, 4, 5, 3))
    expected = (embedding - embedding.mean(0)) / (embedding.var(0, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(feature, expected, rtol=1e-4, atol=1e-5)
    assert neck.bn.weight.eq(1).all() and not neck.bn.bias.requires_grad
    assert neck.masks.bias.eq(0).all()


def test_as_large_as_released():
    with torch.device('meta'):
        neck = PartMaskNeck(2048)
    assert neck.out_channels == 14_336
    assert sum(p.numel() for p in neck.masks.parameters()) == 12_294


def test_half_precision_gives_float32():
    neck, x = build(), torch.randn(2, 4, 5, 3)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = neck(x)
    assert {value.dtype for value in found} == {torch.float32}
    torch.testing.assert_close(found.embedding, neck(x).embedding, rtol=0.02, atol=0.02)


def test_no_part_is_refused():
    with pytest.raises(ValueError, match='`num_parts` is 0'):
        build(0)
