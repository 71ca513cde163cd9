import pytest
import torch
import torch.nn.functional as F

from mmvireid.models.necks import StripeNeck, stripe_bounds

AVERAGE = dict(type='AveragePooling')


def test_stripes_of_a_map_are_pooled_from_top_to_bottom():
    rows = torch.arange(18.0).view(1, 1, 18, 1).expand(2, 4, -1, 9)
    neck = StripeNeck(4, num_stripes=6, pooling=AVERAGE, whole=True).eval()
    embeddings, _ = neck(rows)
    assert [part[0, 0].item() for part in embeddings] == [1, 4, 7, 10, 13, 16, 8.5]


def test_stripes_that_overlap():
    bounds = stripe_bounds(16, 6, overlap=True)
    assert bounds == [(i, i + 6) for i in range(0, 11, 2)]  # kernel 6, stride 2
    assert stripe_bounds(18, 6, overlap=True) == stripe_bounds(18, 6)
    map_ = torch.rand(1, 1, 17, 3)
    stride = 17 // 5
    pooled = F.avg_pool2d(map_, (17 - 4 * stride, 3), (stride, 1))
    neck = StripeNeck(1, num_stripes=5, pooling=AVERAGE, overlap=True).eval()
    torch.testing.assert_close(torch.cat(neck(map_)[0], 1), pooled.flatten(1))


def test_without_a_reduction_it_is_a_bn_neck_per_part():
    neck = StripeNeck(4, num_stripes=2, pooling=dict(type='GeMPooling'))
    map_ = torch.rand(8, 4, 6, 3)
    embeddings, features = neck(map_)
    for part, embedding, feature, piece in zip(neck.parts, embeddings, features, map_.chunk(2, 2)):
        torch.testing.assert_close(embedding, piece.pow(3).mean((2, 3)).pow(1 / 3))
        torch.testing.assert_close(
            feature, F.batch_norm(embedding, None, None, part.bn.weight, training=True)
        )
        assert not part.bn.bias.requires_grad
    assert neck.out_channels == 4 and neck.num_parts == 2


def test_with_a_reduction_both_are_the_reduced_vector():
    neck = StripeNeck(4, 3, AVERAGE, channels=2, relu=True, bn_bias=True)
    map_ = torch.rand(8, 4, 6, 3)
    embeddings, features = neck(map_)
    for part, embedding, feature, piece in zip(neck.parts, embeddings, features, map_.chunk(3, 2)):
        assert embedding is feature and feature.min() == 0
        reduced = F.conv2d(
            piece.mean((2, 3), keepdim=True),
            part.reduction.weight[:, :, None, None],
            part.reduction.bias,
        )
        normal = F.batch_norm(reduced, None, None, part.bn.weight, part.bn.bias, training=True)
        torch.testing.assert_close(feature, normal.relu().flatten(1))
        assert part.bn.bias.requires_grad
    assert neck.out_channels == 2


def test_hct_has_as_many_parameters_as_released():
    """6 x (2048 -> 256, BatchNorm, 256 -> 395 with bias), of 27,492,802 in the whole."""
    from mmvireid.models.heads import PartHeads

    neck = StripeNeck(2048, 6, AVERAGE, channels=256, relu=True, bn_bias=True)
    head = PartHeads(256, 6, 395, dict(type='IdentityHead', bias=True))
    count = sum(p.numel() for part in (neck, head) for p in part.parameters() if p.requires_grad)
    assert count == 6 * (2048 * 256 + 256 + 2 * 256 + 256 * 395 + 395)


@pytest.mark.parametrize(
    ('mode', 'std'), [('fan_in', (2 / 512) ** 0.5), ('fan_out', (2 / 64) ** 0.5)]
)
def test_the_reduction_starts_as_told(mode, std):
    torch.manual_seed(0)
    part = StripeNeck(512, 1, AVERAGE, channels=64, init_mode=mode).parts[0]
    assert part.reduction.weight.std().item() == pytest.approx(std, rel=0.02)
    assert not part.reduction.bias.any()


def test_stripes_that_do_not_divide_the_map_are_refused():
    neck = StripeNeck(4, num_stripes=6, pooling=AVERAGE)
    with pytest.raises(ValueError, match='`num_stripes` is 6 with feature maps of 16 rows'):
        neck(torch.rand(2, 4, 16, 8))
    with pytest.raises(ValueError, match='maps of 3 rows'):
        stripe_bounds(3, 6, overlap=True)
    with pytest.raises(ValueError, match='`num_stripes` is 0'):
        StripeNeck(4, num_stripes=0, pooling=AVERAGE)
