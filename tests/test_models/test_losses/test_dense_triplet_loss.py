import pytest
import torch

from mmvireid.models.layers import align
from mmvireid.models.losses import DenseTripletLoss


def test_golden_value_image_by_image():
    n, c, p = (torch.arange(float(size), dtype=torch.float64) for size in (12, 4, 6))
    n, c = n[:, None, None], c[:, None]
    maps = (0.3 * n + 0.5 * c + 0.7 * p + 0.2 * n * c).sin().abs().view(12, 4, 3, 2)
    i = torch.arange(12)
    negatives = (i + 2) % 6 + 6 * (i < 6)
    positive, negative = align(maps, maps.roll(6, 0)), align(maps, maps[negatives])
    loss = DenseTripletLoss(margin=0.3)(maps, positive.maps, negative.maps, positive.attention)
    assert loss.item() == pytest.approx(0.14319622000302568, abs=1e-10)


def test_it_equals_a_loop():
    torch.manual_seed(0)
    maps, positives, negatives = torch.rand(3, 2, 5, 3, 2, dtype=torch.float64)
    attention = torch.rand(2, 3, 2, dtype=torch.float64)
    total = 0.0
    for n in range(2):
        for y in range(3):
            for x in range(2):
                here = maps[n, :, y, x]
                gap = (here - positives[n, :, y, x]).norm() - (here - negatives[n, :, y, x]).norm()
                total += attention[n, y, x] * max(0.0, 0.1 + gap.item())
    loss = DenseTripletLoss(margin=0.1)(maps, positives, negatives, attention)
    assert loss.item() == pytest.approx(total.item() / 12, abs=1e-6)  # the released 1e-6


def test_the_gradient_is_finite_where_maps_are_equal():
    maps = torch.rand(2, 4, 3, 2, requires_grad=True)
    DenseTripletLoss()(maps, maps.detach(), maps.detach(), torch.ones(2, 3, 2)).backward()
    assert torch.isfinite(maps.grad).all()


def test_shapes_that_do_not_fit_are_named():
    maps = torch.rand(2, 4, 3, 2)
    for others in ((maps[:1], maps, maps[:, 0]), (maps, maps, maps[:, :1])):
        with pytest.raises(
            ValueError, match=r'expected \(N, C, h, w\) three times and \(N, h, w\)'
        ):
            DenseTripletLoss()(maps, *others)
