import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmvireid.models.discriminators import MultiScaleDiscriminator
from mmvireid.registry import MODELS


def build(num_scales=3):
    """A tiny discriminator, its weights drawn large enough to matter."""
    torch.manual_seed(0)
    discriminator = MultiScaleDiscriminator(2, num_scales=num_scales, num_blocks=2)
    for parameter in discriminator.parameters():
        nn.init.normal_(parameter, std=0.5)
    return discriminator


def test_has_the_released_size():
    with torch.device('meta'):
        discriminator = MODELS.build(dict(type='MultiScaleDiscriminator'))
        logits = discriminator(torch.empty(2, 3, 256, 128))
    assert sum(p.numel() for p in discriminator.parameters()) == 1_025_571
    assert [found.shape for found in logits] == [(2, 1, 64, 32), (2, 1, 32, 16), (2, 1, 16, 8)]
    assert set(dict(discriminator.named_parameters())) == set(discriminator.state_dict())


@pytest.mark.parametrize('size', [(32, 24), (27, 18)])
def test_equals_functional_calls(size):
    discriminator, images = build(), torch.randn(2, 3, *size)
    state = iter(discriminator.state_dict().values())
    smaller = nn.AvgPool2d(3, 2, 1, count_include_pad=False)

    def convolve(x, stride=1):
        weight, bias = next(state), next(state)
        x = F.pad(x, (weight.shape[-1] // 2,) * 4, mode='reflect')
        return F.conv2d(x, weight, bias, stride=stride)

    def activate(x):
        return torch.maximum(x, 0.3 * x)

    expected, shrunk = [], images
    for scale in range(3):
        x = shrunk = smaller(shrunk) if scale else images
        for stride in (1, 1, 2, 1, 2):
            x = activate(convolve(x, stride))
        for _ in range(2):
            x = x + convolve(activate(convolve(x)))
        expected.append(convolve(x))
    assert next(state, None) is None
    torch.testing.assert_close(discriminator(images), tuple(expected), rtol=1e-4, atol=1e-4)


def test_padding_does_not_count_for_smaller_images():
    """The second critic sees averages over what there is of each 3 x 3 window."""
    discriminator, images, seen = build(num_scales=2), torch.randn(1, 3, 11, 16), []
    discriminator.critics[1].register_forward_pre_hook(lambda critic, inputs: seen.extend(inputs))
    discriminator(images)
    expected = torch.empty(1, 3, 6, 8)
    for y in range(6):
        for x in range(8):
            window = images[..., max(2 * y - 1, 0) : 2 * y + 2, max(2 * x - 1, 0) : 2 * x + 2]
            expected[..., y, x] = window.mean((2, 3))
    torch.testing.assert_close(seen, [expected])


def test_scales_are_judged_by_separate_networks():
    discriminator, images = build(), torch.randn(1, 3, 32, 24)
    for index, logits in enumerate(discriminator(images)):
        discriminator.zero_grad()
        logits.square().sum().backward()
        for other, critic in enumerate(discriminator.critics):
            for parameter in critic.parameters():
                reached = parameter.grad is not None and bool(parameter.grad.any())
                assert reached == (other == index)
    first, *others = (critic[0].weight for critic in MultiScaleDiscriminator(2).critics)
    assert not any(first.equal(weight) for weight in others)  # drawn separately, too


@pytest.mark.parametrize('std', [0.02, 0.1])
def test_weights_are_drawn_with_the_wanted_deviation(std):
    torch.manual_seed(0)
    given = dict() if std == 0.02 else dict(init_std=std)  # the released one is the default
    for name, value in MultiScaleDiscriminator(16, num_blocks=1, **given).state_dict().items():
        if name.endswith('bias'):
            assert not value.any(), name
        else:
            spread = 4 / value.numel() ** 0.5  # four standard errors of a mean
            assert (value / std).mean().item() == pytest.approx(0, abs=spread), name
            assert (value / std).std().item() == pytest.approx(1, abs=spread / 2**0.5), name


def test_images_are_judged_one_by_one_in_training_as_in_evaluation():
    discriminator, images = build(), torch.randn(3, 3, 32, 24)
    together = discriminator(images)
    discriminator.eval()
    for logits, *alone in zip(together, *(discriminator(image[None]) for image in images)):
        torch.testing.assert_close(logits, torch.cat(alone), rtol=1e-3, atol=1e-3)


def test_twins_are_equal_until_one_of_them_learns():
    discriminator, images = build(), torch.randn(1, 3, 32, 24)
    discriminator(images)
    twin = copy.deepcopy(discriminator)
    for network in (discriminator, twin):
        network.init_weights()
    assert all(map(torch.equal, discriminator(images), twin(images)))
    nn.init.zeros_(twin.critics[1][-1].weight)
    assert [*map(torch.equal, discriminator(images), twin(images))] == [True, False, True]


def test_gradient_reaches_every_pixel_at_every_scale():
    discriminator, images = build(), torch.randn(1, 3, 32, 24, requires_grad=True)
    for logits in discriminator(images):
        (gradient,) = torch.autograd.grad(logits.square().sum(), images, retain_graph=True)
        assert (gradient != 0).any(dim=1).all()


def test_runs_in_half_precision():
    discriminator, images = build(), torch.randn(2, 3, 32, 24)
    with torch.autocast('cpu', torch.bfloat16):
        found = discriminator(images)
        sum(logits.float().square().mean() for logits in found).backward()
    for logits, exact in zip(found, discriminator(images)):
        assert (logits.float() - exact).square().mean() < 0.01 * exact.square().mean()
    assert all(p.grad.isfinite().all() for p in discriminator.parameters())


@pytest.mark.parametrize(('num_scales', 'smallest'), [(1, 5), (2, 9), (3, 17)])
@pytest.mark.parametrize('flipped', [False, True])
def test_images_too_small_for_reflection_are_named(num_scales, smallest, flipped):
    discriminator, step = build(num_scales), -1 if flipped else 1
    bad = (2 * smallest, smallest - 1)[::step]
    discriminator.check_size((smallest, smallest))
    assert discriminator(torch.rand(1, 3, smallest, smallest))[-1].shape == (1, 1, 2, 2)
    with pytest.raises(
        ValueError,
        match=rf'MultiScaleDiscriminator: `input_size` is \({bad[0]}, {bad[1]}\), expected more '
        rf'than {smallest - 1} in both directions: {num_scales} scales',
    ):
        discriminator.check_size(bad)
    with pytest.raises(RuntimeError, match='Padding size should be less'):
        discriminator(torch.rand(1, 3, *bad))
