import pytest
import torch
from torch.distributions import Normal, kl_divergence

from mmvireid.models.losses import StandardGaussianLoss


def test_equals_twice_the_kl_of_torch_distributions():
    mean, log_var = torch.randn(
        2, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    kl = kl_divergence(Normal(mean, (0.5 * log_var).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(StandardGaussianLoss()(mean, log_var), 2 * kl.sum() / 6)


@pytest.mark.parametrize('scale', [1e-6, 1e-5, 1e-4, 1e-2, 1.0, 5.0])
def test_is_never_negative(scale):
    g = torch.Generator().manual_seed(1)
    mean, log_var = torch.randn(2, 8, 512, generator=g)
    mean, log_var = scale**2 * mean, scale * log_var
    loss = StandardGaussianLoss()(mean, log_var)
    assert loss >= 0
    assert loss.item() == pytest.approx(
        StandardGaussianLoss()(mean.double(), log_var.double()).item(), rel=1e-4, abs=1e-8
    )


def test_descent_ends_at_the_standard_gaussian():
    g = torch.Generator().manual_seed(2)
    mean, log_var = (torch.randn(3, 4, generator=g).requires_grad_() for _ in range(2))
    optimizer = torch.optim.SGD([mean, log_var], lr=0.3)
    for _ in range(200):
        optimizer.zero_grad()
        StandardGaussianLoss()(mean, log_var).backward()
        optimizer.step()
    assert mean.abs().max() < 1e-3 and log_var.abs().max() < 1e-3
    assert StandardGaussianLoss()(torch.zeros(2, 3), torch.zeros(2, 3)) == 0
