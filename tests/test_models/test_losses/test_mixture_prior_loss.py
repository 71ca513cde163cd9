import pytest
import torch
from torch.distributions import Normal, kl_divergence

from mmvireid.models.losses import MixturePriorLoss, mixture_prior_kl, mixture_prior_printed


def draw(seed, n=4, dims=3, num_ids=5, dtype=torch.float64):
    """Means, log-variances, class means and labels."""
    g = torch.Generator().manual_seed(seed)
    mean, log_var = torch.randn(2, n, dims, generator=g, dtype=dtype)
    class_means = torch.randn(num_ids, dims, generator=g, dtype=dtype)
    return mean, log_var, class_means, torch.randint(num_ids, (n,), generator=g)


def test_kl_equals_a_monte_carlo_estimate():
    mean, log_var, class_means, labels = draw(0)
    g = torch.Generator().manual_seed(1)
    posterior, prior = Normal(mean, (0.5 * log_var).exp()), Normal(class_means[labels], 1.0)
    noise = torch.randn(100_000, 4, 3, generator=g, dtype=torch.float64)
    code = posterior.mean + posterior.stddev * noise
    ratio = (posterior.log_prob(code) - prior.log_prob(code)).sum(dim=2)  # (100000, N)
    error = (ratio.mean(dim=0) - mixture_prior_kl(mean, log_var, class_means, labels, 'none')).abs()
    assert (error < 5 * ratio.std(dim=0) / 100_000**0.5).all()


@pytest.mark.parametrize('reduction', ['none', 'mean', 'sum'])
def test_kl_equals_torch_distributions(reduction):
    mean, log_var, class_means, labels = draw(2)
    expected = kl_divergence(
        Normal(mean, (0.5 * log_var).exp()), Normal(class_means[labels], 1.0)
    ).sum(dim=1)
    expected = expected if reduction == 'none' else getattr(expected, reduction)()
    value = mixture_prior_kl(mean, log_var, class_means, labels, reduction)
    torch.testing.assert_close(value, expected)


@pytest.mark.parametrize('scale', [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1.0, 5.0])
def test_kl_is_never_negative(scale):
    """Near the prior, where float32 would round exp(x) - 1 - x to below 0, and far from it."""
    mean, log_var, class_means, labels = draw(3, n=64, dims=512, dtype=torch.float32)
    mean = class_means[labels] + scale**2 * mean
    value = mixture_prior_kl(mean, scale * log_var, class_means, labels, 'none')
    exact = mixture_prior_kl(mean.double(), scale * log_var.double(), class_means, labels, 'none')
    assert (value >= 0).all()
    torch.testing.assert_close(value, exact.float(), rtol=1e-4, atol=1e-8)


def test_kl_and_its_gradient_are_zero_at_the_prior_only():
    _, log_var, class_means, labels = draw(4)
    mean = class_means[labels].clone().requires_grad_()
    log_var = torch.zeros_like(log_var, requires_grad=True)
    loss = mixture_prior_kl(mean, log_var, class_means, labels)
    loss.backward()
    assert loss.item() == 0
    assert not mean.grad.any() and not log_var.grad.any()
    assert mixture_prior_kl(mean + 0.1, log_var, class_means, labels) > 0
    assert mixture_prior_kl(mean, log_var - 0.1, class_means, labels) > 0


def test_class_means_learn_from_their_own_images_only():
    mean, log_var, class_means, _ = draw(5)
    class_means.requires_grad_()
    labels = torch.tensor([1, 1, 3, 1])
    mixture_prior_kl(mean, log_var, class_means, labels, 'sum').backward()
    assert class_means.grad.abs().sum(dim=1).nonzero().flatten().tolist() == [1, 3]
    torch.testing.assert_close(class_means.grad[3], (class_means[3] - mean[2]).detach())


def test_the_printed_form_equals_a_determinant():
    code, log_var, class_means, labels = draw(6)
    expected = 0.0
    for i in range(4):
        sigma = torch.diag((0.5 * log_var[i]).exp())
        distance = (code[i] - class_means[labels[i]]).norm() ** 2
        expected += (torch.linalg.det(sigma).log() + 0.5 * distance).item() / 4
    value = mixture_prior_printed(code, log_var, class_means, labels)
    assert value.item() == pytest.approx(expected)


def test_the_printed_form_falls_without_bound_and_the_sound_one_grows():
    _, _, class_means, labels = draw(7)
    mean = class_means[labels]
    sigmas = [10.0**-k for k in (0, 2, 4, 8, 16, 32)]
    log_vars = [torch.full_like(mean, sigma).square().log() for sigma in sigmas]
    printed, sound = (
        [MixturePriorLoss(form)(mean, v, mean, class_means, labels).item() for v in log_vars]
        for form in ('printed', 'sound')
    )
    assert printed == sorted(printed, reverse=True) and printed[-1] < -200
    assert sound == sorted(sound) and sound[-1] > 200


def test_bad_arguments_are_named():
    mean, log_var, class_means, labels = draw(8)
    with pytest.raises(ValueError, match=r'\(4, 3\), \(4, 2\) and \(5, 3\)'):
        mixture_prior_kl(mean, log_var[:, :2], class_means, labels)
    with pytest.raises(ValueError, match=r'\(4, 3\) and \(5, 2\), expected'):
        mixture_prior_kl(mean, log_var, class_means[:, :2], labels)
    with pytest.raises(ValueError, match="`reduction` is 'max'"):
        mixture_prior_kl(mean, log_var, class_means, labels, 'max')
    with pytest.raises(ValueError, match="MixturePriorLoss: `form` is 'literal'"):
        MixturePriorLoss('literal')
