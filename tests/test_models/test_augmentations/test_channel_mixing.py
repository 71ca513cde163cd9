import pytest
import torch
from torchvision.transforms import functional as TF

from mmvireid.models.augmentations import (
    ChannelCopyAugmentation,
    ChannelScalingAugmentation,
    GreyAugmentation,
    ModerateEnhancementAugmentation,
)
from mmvireid.models.data_preprocessors import ReIDDataPreprocessor
from mmvireid.structures import ReIDDataSample

COUNT = 1200


def run(step, images=None):
    torch.manual_seed(0)
    if images is None:
        images = torch.rand(1, 3, 4, 2).expand(COUNT, -1, -1, -1)
    return images, step(images, [ReIDDataSample()] * len(images))


def kinds(images, changed):
    """How many images show channel 0, 1 or 2, grey or themselves."""
    grey = (images * torch.tensor([0.2989, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)
    looks = [*(images[:, c : c + 1] for c in range(3)), grey, images]
    found = [torch.isclose(changed, look.expand_as(images)).flatten(1).all(1) for look in looks]
    assert (torch.stack(found).sum(0) == 1).all()
    return [f.double().mean().item() for f in found]


@pytest.mark.parametrize(
    ('arguments', 'shares'),
    [
        (dict(), (1 / 3, 1 / 3, 1 / 3, 0, 0)),  # channel exchange
        (dict(grey=1.0), (0.25, 0.25, 0.25, 0.25, 0)),
        (dict(grey=0.5), (0.25, 0.25, 0.25, 0.125, 0.125)),  # adaptive grey
        (dict(prob=0.5, grey=0.5), (0.125, 0.125, 0.125, 0.0625, 0.5625)),
        (dict(channels=(1,), grey=0.5), (0, 0.5, 0, 0.25, 0.25)),  # MSCMNet's
    ],
)
def test_channels_are_copied_with_their_probabilities(arguments, shares):
    assert kinds(*run(ChannelCopyAugmentation(**arguments))) == pytest.approx(shares, abs=0.045)


def test_a_copied_channel_is_the_same_to_the_last_bit():
    images, changed = run(ChannelCopyAugmentation(channels=(2,)), torch.randn(5, 3, 9, 4))
    assert torch.equal(changed, images[:, 2:].expand_as(images))


def test_normalised_infrared_images_change_but_not_raw_ones():
    raw = torch.rand(20, 1, 4, 2).expand(-1, 3, -1, -1)
    mean, std = torch.rand(3, 1, 1), torch.rand(3, 1, 1) + 0.5
    torch.testing.assert_close(*run(ChannelCopyAugmentation(space='raw'), raw))
    images, changed = run(ChannelCopyAugmentation(), (raw - mean) / std)
    assert not torch.isclose(images, changed).all()


def test_grey_is_that_of_torchvision():
    images, changed = run(GreyAugmentation(prob=1.0), torch.rand(5, 3, 9, 4))
    torch.testing.assert_close(changed, TF.rgb_to_grayscale(images, 3), atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="GreyAugmentation: `space` is 'normalized'"):
        GreyAugmentation(space='normalized')
    infrared = torch.rand(5, 1, 9, 4).expand(-1, 3, -1, -1)
    torch.testing.assert_close(*run(GreyAugmentation(prob=1.0), infrared))


def test_scaled_channels_keep_their_shape():
    images, changed = run(ChannelScalingAugmentation(prob=1.0))
    factors = changed / images
    assert (factors.amax((2, 3)) - factors.amin((2, 3))).max() < 1e-5
    factors = factors[..., 0, 0]
    assert factors.min() > 0.019 and factors.max() < 1.001
    assert factors.mean(0).tolist() == pytest.approx([0.51] * 3, abs=0.03)
    assert torch.corrcoef(factors.T)[0, 1].abs() < 0.1  # each has its own


def test_a_random_grey_mixes_the_channels_by_normalised_beta_draws():
    colours = (
        torch.eye(3).view(1, 3, 3, 1).expand(COUNT, -1, -1, -1)
    )  # one row of pure R, G, B each
    _, changed = run(ModerateEnhancementAugmentation(prob=1.0), colours)
    assert torch.equal(changed[:, :1].expand(-1, 3, -1, -1), changed)
    weights = changed[:, 0, :, 0]  # (N, 3)
    torch.testing.assert_close(weights.sum(1), torch.ones(COUNT))
    assert weights.mean(0).tolist() == pytest.approx([1 / 3] * 3, abs=0.03)
    torch.manual_seed(1)  # another way to Beta(0.3, 0.3): of two gamma draws
    gammas = torch._standard_gamma(torch.full((2, 20000, 3), 0.3, dtype=torch.float64))
    draws = gammas[0] / gammas.sum(0)
    expected = draws / draws.sum(1, keepdim=True)
    assert weights.std(0).mean().item() == pytest.approx(expected.std(0).mean().item(), abs=0.015)
    infrared = torch.rand(9, 1, 4, 2).expand(-1, 3, -1, -1)
    torch.testing.assert_close(*run(ModerateEnhancementAugmentation(), infrared))


def test_what_is_not_allowed_is_refused():
    with pytest.raises(ValueError, match=r'`channels` is \(3,\)'):
        ChannelCopyAugmentation(channels=(3,))
    with pytest.raises(ValueError, match='`grey` 2'):
        ChannelCopyAugmentation(grey=2)
    with pytest.raises(ValueError, match='ModerateEnhancementAugmentation: `beta` is 0'):
        ModerateEnhancementAugmentation(beta=0)
    with pytest.raises(ValueError, match="`space` is 'normalized'"):
        ModerateEnhancementAugmentation(space='normalized')


def test_golden_pixels_of_exchanged_channels():
    """A pixel in the released space: green in place of all, in figures of its places."""
    preprocessor = ReIDDataPreprocessor(
        common=[dict(type='ChannelCopyAugmentation', channels=(1,), space='normalized')]
    )
    bgr = torch.tensor([204, 102, 52], dtype=torch.uint8).view(1, 3, 1, 1)
    batch = dict(inputs=bgr, data_samples=[ReIDDataSample(modality='visible')])
    seen = preprocessor(batch, training=True)['inputs']['visible']
    # (102 - 116.28) / 57.12 = -0.25: red -0.25 x 58.395 + 123.675, and so on
    assert seen.flatten().tolist() == pytest.approx([-0.25] * 3, abs=1e-6)
    assert preprocessor.to_pictures(seen)[0].tolist() == [[[89, 102, 109]]]  # B, G, R
