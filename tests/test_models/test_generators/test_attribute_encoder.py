import copy

import pytest
import torch
from torch import nn

from mmvireid.models.generators import AttributeEncoder, Codes
from mmvireid.registry import MODELS


class ChannelNumbers(nn.Module):
    """A map whose channel c is c on average, times the image's mean."""

    def __init__(self, out_channels):
        super().__init__()
        self.out_channels = out_channels

    def forward(self, images):
        numbers = torch.arange(float(self.out_channels))[:, None, None]
        ripple = torch.tensor([[-1.0, 2.0], [1.0, -2.0]])
        return images.mean((1, 2, 3))[:, None, None, None] * (numbers + ripple)


def tiny_resnet():
    torch.manual_seed(0)
    extractor = dict(type='ResNetExtractor', depth=18, num_stages=2)
    return AttributeEncoder(extractor).eval()


def test_has_the_released_size():
    extractor = dict(type='ResNetExtractor', depth=50, num_stages=4)
    with torch.device('meta'):
        encoder = MODELS.build(dict(type='AttributeEncoder', extractor=extractor))
        images = torch.empty(2, 3, 256, 128)
        assert encoder.extractor(images).shape == (2, 2048, 8, 4)
        style, pose, illumination = encoder(images)
    assert sum(p.numel() for p in encoder.parameters()) == 23_508_032
    assert style.shape == (2, 4, 256)
    assert pose.shape == illumination.shape == (2, 4, 128)
    assert (encoder.block_size, encoder.style_size, encoder.num_blocks) == (512, 1024, 4)


def test_factors_interleave_by_block_as_released():
    """Of each 512 of the 2048 channels: 256 of style, 128 of pose, 128 of illumination."""
    encoder = AttributeEncoder(dict(type=ChannelNumbers, out_channels=2048))
    images = torch.stack([torch.ones(3, 4, 4), 2 * torch.ones(3, 4, 4)])
    style, pose, illumination = encoder(images)
    assert style[0].flatten().tolist() == [
        *range(256),
        *range(512, 768),
        *range(1024, 1280),
        *range(1536, 1792),
    ]
    assert pose[0].flatten().tolist() == [
        *range(256, 384),
        *range(768, 896),
        *range(1280, 1408),
        *range(1792, 1920),
    ]
    assert illumination[0].flatten().tolist() == [
        *range(384, 512),
        *range(896, 1024),
        *range(1408, 1536),
        *range(1920, 2048),
    ]
    assert all(torch.equal(code[1], 2 * code[0]) for code in (style, pose, illumination))
    # and so every block of the decoder gets its own 512 channels, in their order
    attributes = Codes(torch.empty(2, 1, 1, 1), style, pose, illumination).attributes
    assert attributes[0].flatten().tolist() == [*range(2048)]


def test_other_shares_and_blocks():
    extractor = dict(type=ChannelNumbers, out_channels=24)
    encoder = AttributeEncoder(extractor, num_blocks=2, shares=(1, 2, 3))
    style, pose, illumination = encoder(torch.ones(1, 3, 4, 4))
    assert style[0].tolist() == [[0, 1], [12, 13]]
    assert pose[0].tolist() == [[2, 3, 4, 5], [14, 15, 16, 17]]
    assert illumination[0].tolist() == [[6, 7, 8, 9, 10, 11], [18, 19, 20, 21, 22, 23]]
    assert (encoder.block_size, encoder.style_size) == (12, 4)


def test_codes_are_means_of_the_map_and_not_negative():
    encoder = tiny_resnet()
    images = torch.randn(2, 3, 32, 16)
    with torch.no_grad():
        codes = encoder(images)
        maps = encoder.extractor(images)
    flat = torch.cat(codes, dim=2).flatten(1)
    expected = [[channel.sum() / channel.numel() for channel in image] for image in maps]
    torch.testing.assert_close(flat, torch.tensor(expected))
    assert (flat >= 0).all()
    assert (flat > 0).any()


def test_twins_are_equal_until_one_of_them_learns():
    encoder, images = tiny_resnet(), torch.randn(1, 3, 32, 16)
    encoder(images)  # keeps nothing that could not be copied
    twin = copy.deepcopy(encoder)
    for network in (encoder, twin):
        network.init_weights()
    assert all(map(torch.equal, encoder(images), twin(images)))
    nn.init.zeros_(twin.extractor.stages.layer2[1].conv2.weight)
    assert not any(map(torch.equal, encoder(images), twin(images)))


def test_runs_in_half_precision():
    encoder, images = tiny_resnet(), torch.randn(2, 3, 32, 16)
    with torch.autocast('cpu', torch.bfloat16):
        codes = encoder(images)
    for code, exact in zip(codes, encoder(images)):
        torch.testing.assert_close(code, exact, rtol=0.1, atol=0.1)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(num_blocks=3), r'`num_blocks` is 3 .* that 3 x 4 = 12 divides 128'),
        (dict(num_blocks=64), r'`num_blocks` is 64 .* 256 divides 128'),
        (dict(shares=(2, 2, 1)), r'.* `shares` \(2, 2, 1\), .* 4 x 5 = 20 divides 128'),
        (dict(shares=(2, 1)), r'`shares` is \(2, 1\) .* three shares'),
        (dict(shares=(2, 0, 2)), r'`shares` is \(2, 0, 2\) .* positive'),
        (dict(num_blocks=0), r'.* `num_blocks` 0, expected positive'),
    ],
)
def test_channels_that_cannot_be_divided_are_named(arguments, message):
    with pytest.raises(ValueError, match=f'AttributeEncoder: {message}'):
        AttributeEncoder(dict(type=ChannelNumbers, out_channels=128), **arguments)
