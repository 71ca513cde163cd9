import pytest
import torch
from torch import nn

from mmvireid.models.losses import AdversarialLoss, R1Loss, r1_penalty


class TwoScales(nn.Module):
    """A critic with a curved response and logits (N, 1, h, w) of two sizes."""

    def __init__(self):
        super().__init__()
        self.critics = nn.ModuleList(
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 1, 1)) for _ in range(2)
        )

    def forward(self, images):
        half = nn.functional.avg_pool2d(images, 2)
        return self.critics[0](images), self.critics[1](half)


@pytest.fixture
def critic():
    torch.manual_seed(0)
    return TwoScales().double()


@pytest.fixture
def images():
    g = torch.Generator().manual_seed(1)
    return torch.randn(3, 3, 8, 6, dtype=torch.float64, generator=g, requires_grad=True)


def slow_penalty(critic, images):
    """One image and one scale after the other, each with a pass of its own."""
    total = 0.0
    for scale in range(2):
        for image in images.detach():
            image = image[None].requires_grad_()
            (gradient,) = torch.autograd.grad(critic(image)[scale].sum(), image)
            total += sum(value**2 for value in gradient.flatten().tolist()) / len(images)
    return total


def test_equals_a_slow_loop_over_images_and_scales(critic, images):
    penalty = R1Loss()(critic(images), images)
    assert penalty.shape == ()
    assert penalty.item() == pytest.approx(slow_penalty(critic, images))
    first, second = (r1_penalty(logits, images).item() for logits in critic(images))
    assert penalty.item() == pytest.approx(first + second)  # scales are not mixed in one square
    joint = torch.cat([logits.flatten(1) for logits in critic(images)], dim=1)
    assert penalty.item() != pytest.approx(r1_penalty(joint, images).item())


@pytest.mark.parametrize('count', [1, 4])
def test_closed_form_of_a_linear_critic(count):
    """The gradient is the weight at every image: |w|^2, whatever the batch, with gradient 2w."""
    critic = nn.Linear(3 * 4 * 2, 1)
    images = torch.randn(count, 3, 4, 2).requires_grad_()
    penalty = r1_penalty(critic(images.flatten(1)), images)
    penalty.backward()
    torch.testing.assert_close(penalty, critic.weight.square().sum())
    torch.testing.assert_close(critic.weight.grad, 2 * critic.weight)
    assert not critic.bias.grad  # a constant has no slope: no gradient at all, or 0


def test_the_gradient_of_the_critic_is_that_of_finite_differences(critic, images):
    parameters = dict(critic.named_parameters())
    r1_penalty(critic(images), images).backward()
    for name in ('critics.0.0.weight', 'critics.1.2.weight'):
        with torch.no_grad():
            value, step = parameters[name].view(-1), 1e-5
            slopes = []
            for sign in (1, -1):
                value[3] += sign * step
                with torch.enable_grad():
                    slopes.append(slow_penalty(critic, images))
                value[3] -= sign * step
        expected = (slopes[0] - slopes[1]) / (2 * step)
        assert parameters[name].grad.view(-1)[3].item() == pytest.approx(expected, rel=1e-4)


def test_shares_logits_with_the_adversarial_loss(critic, images):
    """One pass over the real images serves both; the sum has the sum of both gradients."""

    def gradients(*names):
        critic.zero_grad()
        logits = critic(images)
        terms = dict(real=AdversarialLoss()(logits, True), r1=R1Loss()(logits, images))
        sum(terms[name] for name in names).backward()
        return [
            torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in critic.parameters()
        ]

    for both, real, r1 in zip(gradients('real', 'r1'), gradients('real'), gradients('r1')):
        torch.testing.assert_close(both, real + r1)


def test_is_float32_inside_autocast(critic, images):
    critic, images = critic.float(), images.detach().float().requires_grad_()
    expected = r1_penalty(critic(images), images)
    with torch.autocast('cpu', torch.bfloat16):
        logits = critic(images)
        penalty = r1_penalty(logits, images)
    assert logits[0].dtype == torch.bfloat16 and penalty.dtype == torch.float32
    assert penalty.item() == pytest.approx(expected.item(), rel=0.05)
    penalty.backward()
    assert all(p.grad.isfinite().all() for p in critic.parameters() if p.grad is not None)
    assert critic.critics[0][0].weight.grad.any() and critic.critics[1][0].weight.grad.any()


@pytest.mark.parametrize('frozen', [False, True])
def test_images_without_a_gradient_are_named(critic, images, frozen):
    images = images.detach()
    critic.requires_grad_(not frozen)
    with pytest.raises(ValueError, match='`images` .* call `images.requires_grad_\\(\\)`'):
        r1_penalty(critic(images), images)


def test_logits_without_a_graph_are_named(critic, images):
    with torch.no_grad():
        logits = critic(images)
    with pytest.raises(ValueError, match='outside `torch.no_grad\\(\\)`'):
        r1_penalty(logits, images)


def test_is_float32_of_half_precision_images():
    """A square of 2^-9 and one of 1 add up only beyond the 8 bits of bfloat16."""
    weight = torch.tensor([1.0, 2**-4.5, 2**-4.5, 0.0]).bfloat16().requires_grad_()
    images = torch.ones(2, 4, dtype=torch.bfloat16, requires_grad=True)
    penalty = r1_penalty(images @ weight, images)
    assert penalty.dtype == torch.float32
    assert penalty.item() == pytest.approx(weight.double().square().sum().item(), rel=1e-6)
