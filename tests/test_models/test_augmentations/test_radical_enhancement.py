import pytest
import torch

from mmvireid.models.augmentations import RadicalEnhancementAugmentation, draw_rectangles
from mmvireid.structures import ReIDDataSample


def run(step, images):
    return step(images, [ReIDDataSample()] * len(images))


def slow(step, images):
    """One image after the other, by the same draws, with an end."""
    count, _, *size = images.shape
    boxes = draw_rectangles(count * step.max_rectangles, *size, step.rectangles)
    boxes = boxes.view(step.max_rectangles, count, 4)
    peaks = step.law.sample((step.max_rectangles, count, 3, 1, 1)).float()
    results = []
    for i, image in enumerate(images.clone()):
        product = torch.ones_like(image)
        for (top, left, bottom, right), peak in zip(boxes[:, i].tolist(), peaks[:, i]):
            for c in range(3):
                part = image[c, top:bottom, left:right]
                factor = peak[c].item() / max(part.max().item(), step.floor)
                part *= factor
                product[c, top:bottom, left:right] *= factor
            if product.min() < step.least:
                break
        results.append(image)
    return torch.stack(results)


def test_it_equals_a_slow_loop():
    step = RadicalEnhancementAugmentation(prob=1.0)
    images = torch.rand(12, 3, 24, 16)
    torch.manual_seed(0)
    torch.rand(len(images))  # who is changed
    expected = slow(step, images)
    torch.manual_seed(0)
    torch.testing.assert_close(run(step, images), expected, rtol=1e-4, atol=1e-6)
    assert not torch.allclose(expected, images)


def test_values_stay_in_their_range_and_most_images_change():
    torch.manual_seed(0)
    images = torch.rand(200, 3, 24, 16)
    changed = run(RadicalEnhancementAugmentation(), images)
    assert changed.min() >= 0 and changed.max() <= 1 + 1e-5
    share = (changed != images).flatten(1).any(1).double().mean().item()
    assert share == pytest.approx(0.5, abs=0.11)


def test_black_images_stay_black():
    """As released they become NaN."""
    torch.manual_seed(0)
    black = torch.zeros(8, 3, 24, 16)
    black[4:, :, 12:] = 1.0  # half of an image, as behind padding
    changed = run(RadicalEnhancementAugmentation(prob=1.0, max_rectangles=100), black)
    assert torch.isfinite(changed).all()
    assert not changed[:4].any() and not changed[4:, :, :12].any()


def test_what_is_not_allowed_is_refused():
    for arguments in (dict(least=0), dict(floor=0.0), dict(max_rectangles=0)):
        with pytest.raises(ValueError, match='RadicalEnhancementAugmentation: `least` is'):
            RadicalEnhancementAugmentation(**arguments)
    with pytest.raises(ValueError, match='`beta` is -1'):
        RadicalEnhancementAugmentation(beta=-1)
