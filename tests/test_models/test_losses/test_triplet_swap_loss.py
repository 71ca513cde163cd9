"""Codes are labelled dummies: their entries say which image, identity and modality they are of."""

import math

import pytest
import torch

from mmvireid.models.batches import draw_cross_modality_triplets
from mmvireid.models.losses import (
    CycleConsistencyLoss,
    IdentityConsistencyLoss,
    SwapReconstructionLoss,
    cycle_consistency,
    swap_reconstruction,
    swap_table,
)

PERSON = torch.tensor([0, 0, 1, 1, 2, 2] * 2)
VISIBLE = torch.arange(12) < 6
CODES = torch.stack([torch.arange(12), PERSON, VISIBLE.long()], dim=1)  # (N, 3)
PAIRS = ['aa', 'ap', 'pa', 'an', 'na', 'pn', 'np']  # (i, j), in the order of the blocks


@pytest.fixture(params=[0, 1, 2])
def triplets(request):
    """Positions of anchors, positives and negatives."""
    torch.manual_seed(request.param)
    positive, negative = draw_cross_modality_triplets(PERSON, VISIBLE)
    return dict(a=torch.arange(12), p=positive, n=negative)


def decode(identity_code, ambiguous_code):
    """G(d, a): a 1x1 map that tells the identity of d and the image of a, (M, 2, 1, 1)."""
    rebuilt = torch.stack([10.0 * identity_code[:, 1], ambiguous_code[:, 0].float()], dim=1)
    return rebuilt[:, :, None, None]


def test_every_block_carries_the_identity_of_j_and_the_rest_of_i(triplets):
    table = swap_table(triplets['p'], triplets['n'])
    assert len(table.identity) == len(table.ambiguous) == 7 * 12
    rows = zip(CODES[table.identity].tolist(), CODES[table.ambiguous].tolist())
    for i, j in PAIRS:
        for anchor in range(12):
            identity_code, ambiguous_code = next(rows)
            assert identity_code == CODES[triplets[j][anchor]].tolist()
            assert ambiguous_code == CODES[triplets[i][anchor]].tolist()


def test_reconstructed_rows_swap_the_modality_and_nothing_else(triplets):
    table = swap_table(triplets['p'], triplets['n'], all_pairs=False)
    full = swap_table(triplets['p'], triplets['n'])
    for short, long in zip(table[:2], full[:2]):
        assert len(short) == 36 and short.equal(long[:36])
    given, kept = CODES[table.identity], CODES[table.ambiguous]
    assert (given[:12] == kept[:12]).all() and (kept[:12] == CODES).all()
    assert (given[12:, 1] == kept[12:, 1]).all()  # the same identity
    assert (given[12:, 2] != kept[12:, 2]).all()  # the other modality
    assert kept[12:24].equal(CODES)  # (a, p): the map of the anchor is rebuilt
    assert given[24:].equal(CODES)  # (p, a): its code rebuilds the positive


def test_reconstruction_asks_for_the_map_that_gave_the_ambiguous_code(triplets):
    """A decoder that takes the identity from d and the rest from a is perfect."""
    table = swap_table(triplets['p'], triplets['n'])
    maps, loss = decode(CODES, CODES), SwapReconstructionLoss()
    rebuilt = decode(CODES[table.identity], CODES[table.ambiguous])
    given = table.ambiguous, VISIBLE[table.ambiguous]
    assert loss(rebuilt, maps, *given) == 0
    rebuilt[36:] = math.nan  # rows with negatives are never reconstructed
    assert loss(rebuilt, maps, *given) == 0
    rebuilt[35] += 1  # but every other row is, one of 12 swapped ones of its modality
    assert loss(rebuilt, maps, *given).item() == pytest.approx(1 / 12)


def test_a_reversed_swap_gives_another_loss(triplets):
    table = swap_table(triplets['p'], triplets['n'])
    maps, loss = decode(CODES, CODES), SwapReconstructionLoss()
    reversed_codes = decode(CODES[table.ambiguous], CODES[table.identity])
    assert loss(reversed_codes, maps, table.ambiguous, VISIBLE[table.ambiguous]) > 1
    rebuilt = decode(CODES[table.identity], CODES[table.ambiguous])
    assert loss(rebuilt, maps, table.identity, VISIBLE[table.identity]) > 1
    one_hot = 20.0 * torch.nn.functional.one_hot((rebuilt[:, 0, 0, 0] / 10).long())
    consistency = IdentityConsistencyLoss()
    assert consistency(one_hot, PERSON[table.identity], table.weights) < 1e-6
    assert consistency(one_hot, PERSON[table.ambiguous], table.weights) > 1
    recovered = rebuilt[:, 1, :, 0]  # the image of the ambiguous code
    codes = CODES[:, :1].float()
    assert CycleConsistencyLoss()(recovered, codes[table.ambiguous], table.weights) == 0
    assert CycleConsistencyLoss()(recovered, codes[table.identity], table.weights) > 1


def test_weights_equal_an_enumeration_of_all_nine_pairs():
    a = torch.arange(6)  # 3 visible, 3 infrared: positives and negatives are permutations
    sources = dict(a=a, p=torch.tensor([3, 4, 5, 0, 1, 2]), n=torch.tensor([4, 5, 3, 2, 0, 1]))
    value = torch.rand(6, 6, generator=torch.Generator().manual_seed(0))  # of (j, i)
    expected = sum(
        value[sources[j][k], sources[i][k]].item() / (9 * 6)
        for i in 'apn'
        for j in 'apn'
        for k in range(6)
    )
    table = swap_table(sources['p'], sources['n'])
    found = (value[table.identity, table.ambiguous] * table.weights).sum()
    assert found.item() == pytest.approx(expected, rel=1e-5)
    assert table.weights.sum().item() == pytest.approx(1)


@pytest.mark.parametrize('num_visible', [6, 4])  # as many as infrared ones, and fewer
def test_reconstruction_equals_a_slow_loop(num_visible):
    """Equation 12: four expectations, two of each modality, are added."""
    g = torch.Generator().manual_seed(1)
    maps, rebuilt = torch.rand(12, 2, 3, 2, generator=g), torch.rand(84, 2, 3, 2, generator=g)
    is_visible = torch.arange(12) < num_visible
    torch.manual_seed(0)
    positive, negative = draw_cross_modality_triplets(torch.arange(12) % 2, is_visible)

    def gap(k, row):  # |f_k - f_hat|, per element
        pairs = zip(maps[k].flatten().tolist(), rebuilt[row].flatten().tolist())
        return sum(abs(x - y) for x, y in pairs) / 12

    expected = 0.0
    for modality in (True, False):
        own = [gap(k, k) for k in range(12) if is_visible[k] == modality]
        swapped = []
        for k, p in enumerate(positive.tolist()):
            if is_visible[k] == modality:  # f_a = G(d_p, a_a)
                swapped.append(gap(k, 12 + k))
            if is_visible[p] == modality:  # f_p = G(d_a, a_p)
                swapped.append(gap(p, 24 + k))
        expected += sum(own) / len(own) + sum(swapped) / len(swapped)
    table = swap_table(positive, negative)
    given = table.ambiguous, is_visible[table.ambiguous]
    value = swap_reconstruction(rebuilt, maps, *given)
    assert value.item() == pytest.approx(expected, rel=1e-5)
    half = swap_reconstruction(rebuilt.bfloat16(), maps.bfloat16(), *given)
    assert half.dtype == torch.float32


def test_consistencies_equal_slow_loops(triplets):
    table = swap_table(triplets['p'], triplets['n'])
    g = torch.Generator().manual_seed(2)
    recovered, codes = torch.randn(2, 84, 5, generator=g)
    logits, labels = torch.randn(84, 3, generator=g), PERSON[table.identity]
    cycle = identity = 0.0
    for m in range(84):
        share = (3 if m < 12 else 1) / (9 * 12)
        gaps = [abs(x - y) for x, y in zip(recovered[m].tolist(), codes[m].tolist())]
        cycle += share * sum(gaps) / 5
        scores = [math.exp(score) for score in logits[m].tolist()]
        identity -= share * math.log(scores[labels[m]] / sum(scores))
    value = CycleConsistencyLoss()(recovered, codes, table.weights)
    assert value.item() == pytest.approx(cycle, rel=1e-5)
    value = IdentityConsistencyLoss()(logits, labels, table.weights)
    assert value.item() == pytest.approx(identity, rel=1e-5)


def test_cycle_consistency_sends_no_gradient_into_its_targets():
    recovered, codes = (torch.randn(4, 3, requires_grad=True) for _ in range(2))
    cycle_consistency(recovered, codes, torch.full((4,), 0.25)).backward()
    assert codes.grad is None
    torch.testing.assert_close(recovered.grad, (recovered - codes).detach().sign() / 12)
