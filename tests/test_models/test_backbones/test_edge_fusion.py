import pytest
import torch
import torchvision

from mmvireid.models.backbones import (
    ConcatEdgeFusion,
    DirectEdgeFusion,
    EdgeStream,
    WeightedEdgeFusion,
)


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return {key: torch.randn(2, 64, 6, 3) for key in ('visible', 'infrared')}


@pytest.fixture
def edges():
    torch.manual_seed(1)
    return {key: torch.rand(2, 1, 24, 12) for key in ('visible', 'infrared')}


def pooled(edges, key):
    """Edges at a quarter of the size, (2, 1, 6, 3)."""
    return edges[key].view(2, 1, 6, 4, 3, 4).mean((3, 5))


def test_direct_fusion_adds_the_edges_to_every_channel(maps, edges):
    fused = DirectEdgeFusion()(maps, edges)
    for key, original in maps.items():
        for channel in range(64):
            added = fused[key][:, channel] - original[:, channel]
            torch.testing.assert_close(added, pooled(edges, key)[:, 0], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize('fusion', [WeightedEdgeFusion, ConcatEdgeFusion])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_learnable_fusions_start_without_edges(fusion, dtype, maps, edges):
    maps = {key: value.to(dtype) for key, value in maps.items()}
    with torch.autocast('cpu', torch.bfloat16, enabled=dtype == torch.bfloat16):
        fused = fusion()(maps, edges)
    for key, original in maps.items():
        assert torch.equal(fused[key], original)


def test_weighted_fusion_has_a_weight_per_channel_and_modality(maps, edges):
    fusion = WeightedEdgeFusion()
    assert sum(parameter.numel() for parameter in fusion.parameters()) == 128
    torch.nn.init.constant_(fusion.weights['infrared'], 0.5)
    with torch.no_grad():
        fusion.weights['infrared'][3] = -2
        fused = fusion(maps, edges)
    assert torch.equal(fused['visible'], maps['visible'])
    expected = maps['infrared'] + 0.5 * pooled(edges, 'infrared')
    expected[:, 3] = maps['infrared'][:, 3] - 2 * pooled(edges, 'infrared')[:, 0]
    torch.testing.assert_close(fused['infrared'], expected)


def test_concat_fusion_mixes_65_channels(maps, edges):
    fusion = ConcatEdgeFusion()
    torch.nn.init.normal_(fusion.convolutions['visible'].weight)
    weight = fusion.convolutions['visible'].weight[:, :, 0, 0]  # (64, 65)
    fused = fusion(maps, edges)
    joined = torch.cat([maps['visible'], pooled(edges, 'visible')], dim=1)
    expected = torch.einsum('oc,nchw->nohw', weight, joined)
    torch.testing.assert_close(fused['visible'], expected, atol=1e-4, rtol=1e-4)
    assert torch.equal(fused['infrared'], maps['infrared'])


def test_edges_teach_both_modalities(maps, edges):
    for fusion in (WeightedEdgeFusion(), ConcatEdgeFusion()):
        sum(fused.square().sum() for fused in fusion(maps, edges).values()).backward()
        assert all(parameter.grad.abs().sum() > 0 for parameter in fusion.parameters())


def test_a_modality_may_be_absent(maps, edges):
    maps.pop('visible'), edges.pop('visible')
    for fusion in (DirectEdgeFusion(), WeightedEdgeFusion(), ConcatEdgeFusion()):
        assert list(fusion(maps, edges)) == ['infrared']


def test_the_edge_stream_is_a_pretrained_stem(tmp_path, maps, edges):
    resnet = torchvision.models.resnet18(weights=None).eval()
    torch.save(resnet.state_dict(), tmp_path / 'imagenet.pth')
    checkpoint = str(tmp_path / 'imagenet.pth')
    stream = EdgeStream(init_cfg=dict(type='Pretrained', checkpoint=checkpoint))
    stream.init_weights()
    fused = stream.eval()(maps, edges)
    assert list(fused) == ['visible', 'infrared', 'edges']
    assert fused['visible'] is maps['visible']
    images = torch.cat([edges['visible'], edges['infrared']]).repeat(1, 3, 1, 1)
    expected = resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(images))))
    torch.testing.assert_close(fused['edges'], expected)


def test_an_unknown_way_of_resizing_is_named():
    with pytest.raises(ValueError, match="WeightedEdgeFusion: `resize` is 'nearest'"):
        WeightedEdgeFusion(resize='nearest')
