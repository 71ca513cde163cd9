import pytest
import torch
from torchvision.transforms import functional as TF

from mmvireid.models.augmentations import BlurAugmentation, LightJitterAugmentation
from mmvireid.structures import ReIDDataSample

COUNT = 600


def run(step, images):
    torch.manual_seed(0)
    return step(images, [ReIDDataSample()] * len(images))


@pytest.mark.parametrize('brightness_first', [True, False])
def test_light_changes_as_in_torchvision(brightness_first, monkeypatch):
    step = LightJitterAugmentation()
    factors = torch.tensor([[1.3, 0.7, 1.0], [1.0, 1.25, 0.8]]).T  # before, contrast, behind
    factors = factors if brightness_first else factors.flip(0)
    monkeypatch.setattr(step, 'draw_factors', lambda count: factors.reshape(3, 2, 1, 1, 1))
    images = torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(1))
    for image, changed, (before, contrast, behind) in zip(images, run(step, images), factors.T):
        image = TF.adjust_brightness(image, before.item())
        image = TF.adjust_contrast(image, contrast.item())
        image = TF.adjust_brightness(image, behind.item())
        torch.testing.assert_close(changed, image, atol=2e-4, rtol=0)


def test_factors_are_uniform_and_their_order_random():
    torch.manual_seed(0)
    before, contrast, behind = LightJitterAugmentation(0.3, 0.1).draw_factors(COUNT)[..., 0, 0, 0]
    assert ((before == 1) | (behind == 1)).all()
    assert (behind == 1).double().mean().item() == pytest.approx(0.5, abs=0.06)
    for values, width in ((before * behind, 0.3), (contrast, 0.1)):
        assert values.min() == pytest.approx(1 - width, abs=0.01)
        assert values.max() == pytest.approx(1 + width, abs=0.01)
        assert values.mean() == pytest.approx(1, abs=0.1 * width)


def test_infrared_images_stay_grey():
    images = torch.rand(20, 1, 24, 16).expand(-1, 3, -1, -1)
    for step in (LightJitterAugmentation(), BlurAugmentation()):
        changed = run(step, images)
        assert not torch.allclose(changed, images)
        torch.testing.assert_close(changed, changed[:, :1].expand_as(changed))
        assert changed.min() >= 0 and changed.max() <= 1


def test_blur_is_that_of_torchvision():
    images = torch.rand(6, 3, 25, 13, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(0)
    sigma = torch.empty(6, 1).uniform_(0.1, 3.0)
    assert sigma.min() < 1 < 2 < sigma.max()
    step = BlurAugmentation()
    torch.manual_seed(0)
    changed = step.change(images, [ReIDDataSample()] * 6)
    for image, found, width in zip(images, changed, sigma.flatten().tolist()):
        torch.testing.assert_close(found, TF.gaussian_blur(image, [21, 21], [width, width]))


@pytest.mark.parametrize(
    ('build', 'message'),
    [
        (lambda: LightJitterAugmentation(contrast=-0.1), '`contrast` -0.1, expected at least 0'),
        (lambda: LightJitterAugmentation(space='normalized'), "`space` is 'normalized'"),
        (lambda: BlurAugmentation(4), '`kernel_size` is 4 .*an odd number'),
        (lambda: BlurAugmentation(sigma=(2.0, 1.0)), r'`sigma` \(2.0, 1.0\), expected'),
    ],
)
def test_wrong_arguments_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
