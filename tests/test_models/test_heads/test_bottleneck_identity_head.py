import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmvireid.models.heads import BottleneckIdentityHead
from mmvireid.registry import MODELS


def build(**arguments):
    return BottleneckIdentityHead(6, 3, hidden_channels=5, **arguments)


def draw(head, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for parameter in head.parameters():
        nn.init.normal_(parameter, generator=generator)
    return torch.randn(8, 6, generator=generator)


def test_has_the_released_size_beside_the_embedder():
    with torch.device('meta'):
        head = MODELS.build(dict(type='BottleneckIdentityHead', in_channels=2048, num_ids=395))
        embedder = nn.Linear(2048, 256)
    parameters = [*head.parameters(), *embedder.parameters()]
    assert sum(p.numel() for p in parameters) == 1_151_115


@pytest.mark.parametrize(('order', 'slope'), [('paper', 0.0), ('released', 0.1)])
def test_without_dropout_equals_functional_calls(order, slope):
    head = build(order=order, dropout=0.0)
    feature = draw(head)
    w1, b1, gain, offset, w2, b2 = (head.state_dict()[f'layers.{name}'] for name in NAMES)
    hidden = feature @ w1.T + b1
    unit = (hidden - hidden.mean(0)) / (hidden.var(0, correction=0) + 1e-5).sqrt()
    expected = F.leaky_relu(unit * gain + offset, slope) @ w2.T + b2
    torch.testing.assert_close(head(feature), expected)


NAMES = [
    f'{layer}.{kind}' for layer in ('reduce', 'norm', 'classifier') for kind in ('weight', 'bias')
]


@pytest.mark.parametrize(('order', 'where'), [('paper', 'classifier'), ('released', 'reduce')])
def test_dropout_stands_where_the_order_says(order, where):
    """With almost everything dropped, the layer behind the dropout sees zeros, its bias is left."""
    head = build(order=order, dropout=1 - 1e-12)
    feature, seen = draw(head), {}
    for name in ('reduce', 'norm', 'classifier'):
        layer = getattr(head.layers, name)
        layer.register_forward_pre_hook(lambda _, args, name=name: seen.update({name: args[0]}))
    head(feature)
    assert not seen[where].any()
    assert seen['norm'].any()
    assert seen['reduce'].any() == (order == 'paper')
    torch.testing.assert_close(head.eval()(feature[:1]), head(feature)[:1])  # off in evaluation


def test_weights_are_drawn_as_released():
    torch.manual_seed(0)
    head = BottleneckIdentityHead(512, 400, hidden_channels=256)
    layers = head.layers
    assert layers.reduce.weight.std().item() == pytest.approx((2 / 256) ** 0.5, rel=0.02)
    assert layers.norm.weight.mean().item() == pytest.approx(1, abs=0.01)
    assert layers.norm.weight.std().item() == pytest.approx(0.02, rel=0.2)
    assert layers.classifier.weight.std().item() == pytest.approx(0.001, rel=0.02)
    assert not any(getattr(layers, name).bias.any() for name in ('reduce', 'norm', 'classifier'))


def test_orders_share_their_weights():
    head = build(order='released')
    head.load_state_dict(build().state_dict())


@pytest.mark.parametrize('num_ids', [0, None, 2.5])
def test_impossible_number_of_identities_is_named(num_ids):
    with pytest.raises(ValueError, match='BottleneckIdentityHead: `num_ids` is'):
        BottleneckIdentityHead(8, num_ids=num_ids)


def test_unknown_order_is_named():
    with pytest.raises(ValueError, match=r"`order` is 'code', expected one of \('paper', 'rel"):
        build(order='code')
