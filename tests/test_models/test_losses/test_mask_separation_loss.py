import pytest
import torch

from mmvireid.models.losses import MaskSeparationLoss


def test_golden_value():
    grid = torch.cos(0.37 * torch.arange(24, dtype=torch.float64)).view(2, 3, 4, 1)
    found = MaskSeparationLoss()(grid.sigmoid()).item()
    assert found == pytest.approx(1.064935214117108, abs=1e-12)


def test_equals_a_slow_loop():
    masks = torch.rand(2, 4, 3, 2, generator=torch.Generator().manual_seed(0))
    products = [
        (masks[i, a, y, x] * masks[i, b, y, x]).item()
        for i in range(2) for a in range(4) for b in range(a) for y in range(3) for x in range(2)
    ]  # fmt: skip
    assert MaskSeparationLoss()(masks).item() == pytest.approx(sum(products) / 2 / 6)


def test_masks_that_do_not_meet_cost_nothing():
    masks = torch.eye(6).view(1, 6, 3, 2)
    assert MaskSeparationLoss()(masks) == 0


def test_a_single_mask_is_refused():
    with pytest.raises(ValueError, match=r'`masks` has shape \(2, 1, 3, 2\)'):
        MaskSeparationLoss()(torch.rand(2, 1, 3, 2))
