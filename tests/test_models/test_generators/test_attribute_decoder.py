import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

from mmvireid.models.generators import AttributeDecoder, Codes
from mmvireid.models.generators.attribute_decoder import adaptive_instance_norm, sample_norm
from mmvireid.registry import MODELS


def random_codes(seed, count=2):
    """Codes of a tiny decoder: 8 channels, two blocks with 2 + 1 + 1 attributes."""
    generator = torch.Generator().manual_seed(seed)
    prototype = torch.randn(count, 8, 3, 4, generator=generator)
    sizes = (2, 1, 1)
    return Codes(prototype, *(torch.rand(count, 2, size, generator=generator) for size in sizes))


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    return AttributeDecoder(8, code_size=4, num_blocks=2)


def test_has_the_released_size():
    with torch.device('meta'):
        decoder = MODELS.build(dict(type='AttributeDecoder', in_channels=256, code_size=512))
        attributes = (torch.empty(2, 4, size) for size in (256, 128, 128))
        found = decoder(Codes(torch.empty(2, 256, 64, 32), *attributes))
    perceptrons = [part for block in decoder.blocks for part in (block.scales, block.shifts)]
    assert len(perceptrons) == 8
    assert sum(p.numel() for part in perceptrons for p in part.parameters()) == 6_303_744
    assert sum(p.numel() for p in decoder.parameters()) == 12_123_011
    assert found.shape == (2, 3, 256, 128)
    assert set(dict(decoder.named_parameters())) == set(decoder.state_dict())


def test_adaptive_norm_equals_a_loop_over_samples_and_channels():
    generator = np.random.default_rng(0)
    maps = generator.normal(3, 2, (2, 3, 4, 5)).astype('f')
    scale, shift = generator.normal(size=(2, 2, 3)).astype('f')
    expected = np.empty_like(maps)
    for n in range(2):
        for c in range(3):
            x = maps[n, c]
            # the scale is used as it is: neither 1 is added, nor is it kept positive
            expected[n, c] = scale[n, c] * (x - x.mean()) / np.sqrt(x.var() + 1e-5) + shift[n, c]
    found = adaptive_instance_norm(*map(torch.from_numpy, (maps, scale, shift)))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-5)


@pytest.fixture
def norm():
    torch.manual_seed(0)
    layer = sample_norm(3).double()
    torch.nn.init.normal_(layer.bias)
    return layer


def by_sample(maps, norm, deviation):
    """Normalise sample by sample; ``deviation(x)`` is what it is divided by."""
    gain, offset = (p.detach().numpy()[:, None, None] for p in norm.parameters())
    return [(x - x.mean()) / deviation(x) * gain + offset for x in maps.numpy()]


def test_sample_norm_equals_a_loop_over_samples(norm):
    maps = 3 + torch.randn(4, 3, 2, 5, dtype=torch.float64)
    expected = by_sample(maps, norm, lambda x: np.sqrt(x.var() + 1e-5))
    np.testing.assert_allclose(norm(maps).detach().numpy(), expected, rtol=1e-9)


def test_sample_norm_differs_little_from_the_released_one(norm):
    """Which divides by the unbiased deviation plus 1e-5."""
    maps = 3 + torch.randn(2, 3, 256, 128, dtype=torch.float64)
    released = by_sample(maps, norm, lambda x: x.std(ddof=1) + 1e-5)
    np.testing.assert_allclose(norm(maps).detach().numpy(), released, rtol=0, atol=6e-5)


def test_gains_of_sample_norm_start_uniform():
    torch.manual_seed(0)
    norm = sample_norm(4000)
    assert 0 <= norm.weight.min() < 0.01
    assert 0.99 < norm.weight.max() < 1
    assert norm.weight.mean().item() == pytest.approx(0.5, abs=0.02)
    assert norm.weight.std().item() == pytest.approx(12**-0.5, rel=0.03)
    assert not norm.bias.any()


def test_equals_functional_calls(tiny):
    for parameter in tiny.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    codes, state = random_codes(1), iter(tiny.state_dict().values())

    def activate(x):
        return torch.maximum(x, 0.3 * x)

    def convolution():
        return next(state), next(state)

    def convolve(x, weight, bias):
        return F.conv2d(F.pad(x, (weight.shape[-1] // 2,) * 4, mode='reflect'), weight, bias)

    def perceptron(x):
        for _ in range(2):
            x = activate(F.linear(x, next(state), next(state)))
        return F.linear(x, next(state), next(state))

    def adapt(x, scale, shift):
        x = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), False, keepdim=True) + 1e-5).sqrt()
        return x * scale[:, :, None, None] + shift[:, :, None, None]

    x = codes.prototype
    for block in range(2):
        own = torch.cat([code[:, block] for code in codes[1:]], dim=1)
        first, second = convolution(), convolution()
        scales, shifts = perceptron(own), perceptron(own)
        y = activate(adapt(convolve(x, *first), scales[:, :8], shifts[:, :8]))
        x = x + adapt(convolve(y, *second), scales[:, 8:], shifts[:, 8:])
    for _ in range(2):
        x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        x = convolve(x, *convolution())
        x = x - x.mean((1, 2, 3), keepdim=True)
        x = x / (x.square().mean((1, 2, 3), keepdim=True) + 1e-5).sqrt()
        x = activate(x * next(state)[:, None, None] + next(state)[:, None, None])
    for _ in range(2):
        x = activate(convolve(x, *convolution()))
    expected = convolve(x, *convolution())
    assert next(state, None) is None
    assert expected.shape == (2, 3, 12, 16)
    torch.testing.assert_close(tiny(codes), expected, rtol=1e-4, atol=1e-4)


def test_every_block_depends_on_its_own_attributes_only(tiny):
    codes = Codes(*(code.requires_grad_() for code in random_codes(0)))
    made = []
    for block in tiny.blocks:
        block.register_forward_hook(lambda module, inputs, output: made.append(output))
    tiny(codes)
    # cut off from the block before, a block is left with its own attributes
    again = tiny.blocks[1](made[0].detach(), codes.attributes[:, 1])
    torch.testing.assert_close(again, made[1])
    for maps, block in ((made[0], 0), (again, 1)):
        for gradient in torch.autograd.grad(maps.pow(3).sum(), codes[1:], retain_graph=True):
            assert gradient[:, block].all()  # each factor has a say in every block
            assert not gradient[:, 1 - block].any()


def test_nothing_is_kept_of_a_call(tiny):
    codes = Codes(*(code.requires_grad_() for code in random_codes(0)))
    expected = tiny(codes)
    tiny(random_codes(1, count=3))
    twin = copy.deepcopy(tiny)  # raises where a part of the graph is kept
    torch.testing.assert_close(tiny(codes), expected)
    torch.testing.assert_close(twin(codes), expected)


def test_recomputing_gives_the_same_gradients_whatever_was_decoded_in_between(tiny):
    def gradients(call):
        first, second = (
            Codes(*(code.requires_grad_() for code in random_codes(seed))) for seed in (0, 1)
        )
        tiny.zero_grad()
        images = [call(first), call(second), call(second.shown_as(first))]
        sum((image * weight).square().sum() for weight, image in enumerate(images, 1)).backward()
        return [*(p.grad for p in tiny.parameters()), *(c.grad for c in (*first, *second))]

    expected = gradients(tiny)
    found = gradients(lambda codes: checkpoint(tiny, codes, use_reentrant=False))
    for gradient, exact in zip(found, expected, strict=True):
        torch.testing.assert_close(gradient, exact)
    assert all(gradient.any() for gradient in expected[-8:])


def test_a_batch_equals_image_by_image(tiny):
    codes = random_codes(0, count=3)
    together = tiny(codes)
    alone = [tiny(Codes(*(code[[index]] for code in codes))) for index in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_output_is_not_bounded(tiny):
    codes = random_codes(0)
    before = tiny(codes)
    with torch.no_grad():
        tiny.to_image.weight.mul_(50)
        tiny.to_image.bias.add_(7)
    torch.testing.assert_close(tiny(codes), 50 * before + 7, rtol=1e-4, atol=1e-3)


def test_weights_are_drawn_by_fan_in():
    torch.manual_seed(0)
    for name, value in AttributeDecoder(64, 64, num_blocks=1).state_dict().items():
        if name.endswith('bias'):
            assert not value.any(), name
        elif value.ndim == 1:  # a gain
            assert ((value >= 0) & (value < 1)).all(), name
        else:
            expected = (2 / value[0].numel()) ** 0.5
            assert value.std().item() == pytest.approx(expected, rel=0.2), name


def test_attributes_of_another_number_of_blocks_are_refused(tiny):
    codes = random_codes(0)
    for wrong in (
        Codes(codes.prototype, *(code[:, :1] for code in codes[1:])),
        Codes(codes.prototype, *(code[:, [0, 1, 1]] for code in codes[1:])),
    ):
        with pytest.raises(ValueError, match='zip'):
            tiny(wrong)


def test_runs_in_half_precision(tiny):
    codes = random_codes(0)
    with torch.autocast('cpu', torch.bfloat16):
        found = tiny(codes)
        found.float().square().sum().backward()
    exact = tiny(codes)
    assert (found.float() - exact).square().mean() < 0.01 * exact.square().mean()
    assert all(p.grad.isfinite().all() for p in tiny.parameters())


def decode_size(decoder, size):
    """What images of a size come back as, their prototypes being a quarter as large."""
    prototype = torch.rand(1, 8, *(-(-length // 4) for length in size))
    return decoder(Codes(prototype, *random_codes(0, count=1)[1:])).shape[2:]


@pytest.mark.parametrize('size', [(8, 8), (8, 16), (12, 8)])
def test_sizes_that_come_back(tiny, size):
    tiny.check_size(size)
    assert decode_size(tiny, size) == size


@pytest.mark.parametrize('size', [(9, 8), (16, 10), (11, 12), (63, 64)])
def test_sizes_that_come_back_as_others_are_named(tiny, size):
    assert decode_size(tiny, size) != size
    with pytest.raises(ValueError, match=r'AttributeDecoder: `input_size` is .* multiples of 4'):
        tiny.check_size(size)


@pytest.mark.parametrize('size', [(4, 8), (8, 4), (4, 4), (0, 8)])
def test_sizes_too_small_for_reflection_are_named(tiny, size):
    with pytest.raises(RuntimeError):
        decode_size(tiny, size)
    with pytest.raises(ValueError, match=r'AttributeDecoder: `input_size` is .* at least 8'):
        tiny.check_size(size)
