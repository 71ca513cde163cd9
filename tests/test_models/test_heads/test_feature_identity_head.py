import pytest
import torch
from torch import nn

from mmvireid.models.heads import FeatureIdentityHead
from mmvireid.registry import MODELS


def build(**arguments):
    return FeatureIdentityHead(6, 3, feature_size=5, **arguments)


def draw(head, seed=0):
    """Every parameter at random, running statistics too; returns some vectors."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in head.parameters():
        nn.init.normal_(parameter, generator=generator)
    nn.init.normal_(head.norm.running_mean, generator=generator)
    nn.init.uniform_(head.norm.running_var, 0.5, 2.0, generator=generator)
    return torch.randn(8, 6, generator=generator)


@pytest.mark.parametrize(
    ('embedding_size', 'size'), [(1024, 6_720_718), (None, 6_720_718 - 2049 * 1024)]
)
def test_has_the_released_size(embedding_size, size):
    config = dict(type='FeatureIdentityHead', in_channels=2048, num_ids=206)
    with torch.device('meta'):
        head = MODELS.build(config | dict(embedding_size=embedding_size))
    assert sum(p.numel() for p in head.parameters()) == size
    assert head.num_ids == 206


@pytest.mark.parametrize('embedding_size', [None, 4])
@pytest.mark.parametrize('training', [False, True])
def test_equals_products_without_dropout(embedding_size, training):
    head = build(embedding_size=embedding_size, dropout=0.5 * (not training)).train(training)
    vectors = draw(head)
    state = {name: value.clone() for name, value in head.state_dict().items()}
    found = head(vectors)
    hidden = vectors @ state['linear.weight'].T + state['linear.bias']
    mean, var = state['norm.running_mean'], state['norm.running_var']
    if training:
        mean, var = hidden.mean(0), hidden.var(0, correction=0)
    feature = (hidden - mean) / (var + 1e-5).sqrt() * state['norm.weight'] + state['norm.bias']
    torch.testing.assert_close(found.feature, feature)
    logits = feature @ state['classifier.weight'].T + state['classifier.bias']
    torch.testing.assert_close(found.logits, logits)
    embedding = feature
    if embedding_size:
        embedding = feature @ state['embedder.weight'].T + state['embedder.bias']
    torch.testing.assert_close(found.embedding, embedding)


@pytest.mark.parametrize('embedding_size', [None, 4])
def test_dropout_stands_behind_the_feature(embedding_size):
    """With almost everything dropped, the layers behind see zeros: their biases are left."""
    torch.manual_seed(0)
    head = build(embedding_size=embedding_size, dropout=1 - 1e-12)
    vectors = draw(head)
    found = head(vectors)
    torch.testing.assert_close(found.feature, head.norm(head.linear(vectors)))
    torch.testing.assert_close(found.logits, head.classifier.bias.expand(8, -1))
    if embedding_size:
        torch.testing.assert_close(found.embedding, head.embedder.bias.expand(8, -1))
    else:
        assert found.embedding is found.feature


def test_classifier_and_projection_see_the_same_dropout():
    head = build(embedding_size=3)
    vectors = draw(head)
    head.embedder.load_state_dict(head.classifier.state_dict())
    found = head(vectors)
    torch.testing.assert_close(found.embedding, found.logits)
    assert not torch.allclose(found.logits, head.classifier(found.feature))  # something is dropped


def test_feature_is_float32_inside_autocast():
    head = build(embedding_size=4)
    vectors = draw(head)
    with torch.autocast('cpu', torch.bfloat16):
        assert head.linear(vectors).dtype == torch.bfloat16
        assert head(vectors).feature.dtype == torch.float32


def test_weights_are_drawn_as_released():
    torch.manual_seed(0)
    head = FeatureIdentityHead(300, 400, feature_size=512, embedding_size=256)
    assert head.linear.weight.std().item() == pytest.approx((2 / 512) ** 0.5, rel=0.02)
    assert head.embedder.weight.std().item() == pytest.approx((2 / 256) ** 0.5, rel=0.02)
    assert head.norm.weight.mean().item() == pytest.approx(1, abs=0.01)
    assert head.norm.weight.std().item() == pytest.approx(0.02, rel=0.2)
    assert head.classifier.weight.std().item() == pytest.approx(0.001, rel=0.02)
    layers = (head.linear, head.norm, head.classifier, head.embedder)
    assert not any(layer.bias.any() for layer in layers)


@pytest.mark.parametrize('num_ids', [0, None, 2.5])
def test_impossible_number_of_identities_is_named(num_ids):
    with pytest.raises(ValueError, match='FeatureIdentityHead: `num_ids` is'):
        FeatureIdentityHead(8, num_ids=num_ids)
