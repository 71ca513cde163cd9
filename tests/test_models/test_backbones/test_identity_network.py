import pytest
import torch
from torch import nn

from mmvireid.models.backbones import IdentityNetwork


@pytest.fixture
def build():
    def call(depth=18, num_stages=2, size=(32, 16), **values):
        torch.manual_seed(0)
        return IdentityNetwork(
            size=size,
            extractor=dict(type='ResNetExtractor', depth=depth, num_stages=num_stages, **values),
            classifier=dict(type='BottleneckIdentityHead', num_ids=395),
            embedding_size=256,
        )

    return call


def test_the_size_of_the_paper(build):
    with torch.device('meta'):
        network = build(depth=50, num_stages=4, size=(384, 192), last_stride=1)
        found = network(torch.empty(2, 3, 128, 128))
    assert found.feature_map.shape == (2, 2048, 24, 12)
    assert found.feature.shape == (2, 2048)
    assert found.logits.shape == (2, 395)
    assert found.embedding.shape == (2, 256)
    counts = {name: sum(p.numel() for p in m.parameters()) for name, m in network.named_children()}
    assert counts['extractor'] == 23_508_032
    assert counts['classifier'] + counts['embedder'] == 1_151_115
    assert sum(counts.values()) == 23_508_032 + 1_151_115


def test_it_is_its_parts_one_after_the_other(build):
    network = build().eval()
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        found = network(images)
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        small = nn.functional.interpolate(images, (32, 16), mode='bilinear') / 2 + 0.5
        maps = network.extractor((small - mean.view(3, 1, 1)) / std.view(3, 1, 1))
        torch.testing.assert_close(found.feature_map, maps)
        vectors = maps.flatten(2).sum(2) / (maps.shape[2] * maps.shape[3])
        torch.testing.assert_close(found.feature, vectors)
        torch.testing.assert_close(found.logits, network.classifier(vectors))
        weight, bias = network.embedder.weight, network.embedder.bias
        torch.testing.assert_close(found.embedding, vectors @ weight.T + bias)


def test_gradients_flow_back_to_the_image(build):
    images = torch.zeros(2, 3, 64, 64, requires_grad=True)
    build()(images).embedding.sum().backward()
    assert images.grad.abs().sum(dim=(1, 2, 3)).gt(0).all()
