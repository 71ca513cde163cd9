import pytest
import torch
import torch.nn.functional as F

from mmvireid.models.layers import align
from mmvireid.models.layers.alignment import saliency


@pytest.fixture
def golden():
    """Six visible and six infrared maps of 3 x 2, and a positive for each."""
    n, c, p = (torch.arange(float(size), dtype=torch.float64) for size in (12, 4, 6))
    n, c = n[:, None, None], c[:, None]
    maps = (0.3 * n + 0.5 * c + 0.7 * p + 0.2 * n * c).sin().abs().view(12, 4, 3, 2)
    return maps, maps.roll(6, 0)


def test_golden_values(golden):
    maps, positives = golden
    found = align(maps, positives)
    assert found.maps.sum().item() == pytest.approx(179.01698958984434, abs=1e-9)
    expected = [0.10373061867880959, 0.6952223303486554, 0.6115609220328716, 0.9504953105927937]
    assert found.maps[0, :, 0, 0].tolist() == pytest.approx(expected, abs=1e-6)
    mask = [0.47726602, 1, 0.72730229, 0, 0.10327024, 0.82677]
    assert saliency(maps.flatten(2))[0].tolist() == pytest.approx(mask, abs=5e-7)


def test_it_equals_a_loop_over_positions(golden):
    maps, positives = (x[:3] for x in golden)
    found = align(maps, positives, sharpness=7.0)
    for own, other, again, attention in zip(maps, positives, *found):
        own, other, again = (x.flatten(1).T for x in (own, other, again))  # a row per position
        lengths, others = (torch.stack([row.norm() for row in rows]) for rows in (own, other))
        mask, theirs = ((x - x.min()) / (x.max() - x.min()) for x in (lengths, others))
        raw = []
        for p, row in enumerate(own):
            weights = F.softmax(
                7 * torch.stack([row @ o / row.norm() / o.norm() for o in other]), 0
            )
            warped = sum(weight * o for weight, o in zip(weights, other))
            torch.testing.assert_close(again[p], mask[p] * warped + (1 - mask[p]) * row)
            raw.append(mask[p] * (weights @ theirs))
        raw = torch.stack(raw)
        expected = (raw - raw.min()) / (raw.max() - raw.min())
        torch.testing.assert_close(attention.flatten(), expected)


def test_a_partner_whose_positions_are_shuffled_is_the_same_partner(golden):
    maps, positives = golden
    shuffled = positives.flatten(2)[:, :, torch.randperm(6)].view_as(positives)
    for ours, theirs in zip(align(maps, positives), align(maps, shuffled)):
        torch.testing.assert_close(ours, theirs)


def test_maps_without_contrast_stay_as_they_are():
    """An empty map too: the softmax is even, nothing stands out, and gradients are finite."""
    for value in (0.0, 2.0):
        maps = torch.full((2, 4, 3, 2), value, requires_grad=True)
        again, attention = align(maps, torch.rand(2, 4, 3, 2))
        torch.testing.assert_close(again, maps)
        assert attention.abs().max() == 0
        again.sum().backward()
        assert torch.isfinite(maps.grad).all()


def test_autocast_changes_nothing(golden):
    maps, positives = (x.float() for x in golden)
    with torch.autocast('cpu', torch.bfloat16):
        inside = align(maps, positives)
    assert all(map(torch.equal, inside, align(maps, positives)))


def test_masks_and_attention_pass_no_gradient_on(golden):
    maps, positives = (x.clone().requires_grad_() for x in golden)
    found = align(maps, positives)
    assert not found.attention.requires_grad
    position = saliency(maps.flatten(2)).argmin(1)[
        0
    ]  # the mask is 0: the own map, and nothing else
    found.maps.flatten(2)[0, :, position].sum().backward()
    assert positives.grad.abs().max() == 0
    assert maps.grad.flatten(2)[0, :, position].tolist() == [1.0] * 4
    assert maps.grad.sum() == 4
