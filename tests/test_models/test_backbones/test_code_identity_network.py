import pytest
import torch
from torch import nn

from mmvireid.models.backbones import CodeIdentityNetwork
from mmvireid.registry import MODELS

TRUNK = dict(type='ResNetTrunk', depth=18, stages=('layer2',))  # 64 to 128 channels
HEAD = dict(type='FeatureIdentityHead', num_ids=3, feature_size=6, embedding_size=4)


def build(codes=('prototype', 'style'), trunk=TRUNK, channels=64):
    torch.manual_seed(0)
    network = CodeIdentityNetwork(channels, 5, trunk, dict(type='CodeMix', codes=codes), HEAD)
    for parameter in network.head.parameters():  # so that nothing is near 0
        nn.init.normal_(parameter)
    return network


@pytest.fixture
def prototypes():
    return torch.randn(4, 64, 6, 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def styles():
    return torch.rand(4, 5, generator=torch.Generator().manual_seed(1))


def test_has_the_released_size():
    config = dict(
        type='CodeIdentityNetwork',
        prototype_channels=256,
        style_size=1024,
        trunk=dict(type='ResNetTrunk'),
        mix=dict(type='CodeMix'),
        head=dict(type='FeatureIdentityHead', num_ids=206, embedding_size=1024),
    )
    with torch.device('meta'):
        network = MODELS.build(config)
        found = network(torch.empty(3, 256, 64, 32), torch.empty(3, 1024))
    alpha = 1
    assert sum(p.numel() for p in network.parameters()) == 8_317_952 + 6_720_718 + alpha
    assert [part.shape for part in found] == [(3, 2048), (3, 206), (3, 1024)]


def test_equals_the_equations_for_own_codes(prototypes, styles):
    network = build().eval()
    found = network(prototypes, styles)
    pooled = network.trunk(prototypes).flatten(2).sum(2) / 6  # 3 x 2 positions
    mixed = [
        torch.cat([0.5 * p / p.square().sum().sqrt(), 0.5 * s / s.square().sum().sqrt()])
        for p, s in zip(pooled, styles)
    ]
    for part, expected in zip(found, network.head(torch.stack(mixed)), strict=True):
        torch.testing.assert_close(part, expected)


def test_rows_equal_every_combination_by_itself(prototypes, styles):
    network = build().eval()
    prototype_rows, style_rows = torch.tensor([3, 0, 0, 2, 1, 3]), torch.tensor([0, 0, 3, 1, 2, 3])
    found = network(prototypes, styles, prototype_rows, style_rows)
    assert len(found.feature) == 6
    for row, (prototype, style) in enumerate(zip(prototype_rows, style_rows)):
        alone = network(prototypes[prototype][None], styles[style][None])
        for part, expected in zip(found, alone, strict=True):
            torch.testing.assert_close(part[[row]], expected)


@pytest.mark.parametrize('chosen', ['prototype_rows', 'style_rows'])
def test_rows_of_one_code_leave_the_other_as_it_is(chosen, prototypes, styles):
    network, rows, own = build().eval(), torch.tensor([2, 2, 0, 1]), torch.arange(4)
    both = dict(prototype_rows=own, style_rows=own) | {chosen: rows}
    found = network(prototypes, styles, **{chosen: rows})
    torch.testing.assert_close(found, network(prototypes, styles, **both))
    assert not torch.allclose(found.feature, network(prototypes, styles).feature)


def test_each_prototype_goes_through_the_trunk_once(prototypes, styles):
    network, seen = build(), []
    network.trunk.register_forward_pre_hook(lambda trunk, inputs: seen.extend(inputs))
    network(prototypes, styles, torch.arange(4).repeat(4), torch.arange(4).repeat_interleave(4))
    assert len(seen) == 1
    assert seen[0] is prototypes


def test_without_a_trunk_prototypes_play_no_part(styles):
    network, rows = build(('style',), trunk=None).eval(), torch.tensor([1, 1, 3])
    nothing = torch.full((4, 64, 6, 4), torch.nan)
    found = network(nothing, styles, torch.tensor([0, 2, 1]), rows)
    expected = network.head(styles[rows] / styles[rows].square().sum(1, keepdim=True).sqrt())
    torch.testing.assert_close(found, expected)


def test_of_prototypes_alone_styles_play_no_part(prototypes):
    network = build(('prototype',)).eval()
    nothing = torch.full((4, 5), torch.nan)
    rows = torch.tensor([2, 0])
    found = network(prototypes, nothing, rows, rows)
    pooled = network.trunk(prototypes[rows]).mean((2, 3))
    expected = network.head(pooled / pooled.square().sum(1, keepdim=True).sqrt())
    torch.testing.assert_close(found, expected)


def test_gradient_reaches_only_the_codes_that_are_combined(prototypes, styles):
    network = build().eval()
    prototypes.requires_grad_()
    styles.requires_grad_()
    network(prototypes, styles, torch.tensor([0, 2]), torch.tensor([1, 2])).logits.sum().backward()
    assert [bool(gradient.any()) for gradient in prototypes.grad] == [True, False, True, False]
    assert [bool(gradient.any()) for gradient in styles.grad] == [False, True, True, False]
    assert network.mix.weight.grad


def test_runs_in_half_precision(prototypes, styles):
    network = build().eval()
    with torch.autocast('cpu', torch.bfloat16):
        found = network(prototypes, styles)
        sum(part.float().square().mean() for part in found).backward()
    assert found.feature.dtype == torch.float32
    for part, exact in zip(found, network(prototypes, styles)):
        torch.testing.assert_close(part.float(), exact, rtol=0.1, atol=0.1)
    assert all(p.grad.isfinite().all() for p in network.parameters())


def test_trunk_of_other_channels_is_named():
    with pytest.raises(
        ValueError, match='CodeIdentityNetwork: `trunk` takes maps of 64 channels, expected 32, '
    ):
        build(channels=32)


@pytest.mark.parametrize(
    ('codes', 'trunk'),
    [(('style',), TRUNK), (('prototype', 'style'), None), (('prototype',), None)],
)
def test_trunk_without_prototypes_and_the_reverse_are_named(codes, trunk):
    with pytest.raises(ValueError, match='CodeIdentityNetwork: `trunk` is .* `mix.codes`'):
        build(codes, trunk)
