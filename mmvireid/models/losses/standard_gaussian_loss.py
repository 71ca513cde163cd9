"""Standard Gaussian prior of a code."""

from torch import Tensor, nn

from mmvireid.registry import MODELS


def standard_gaussian_divergence(mean: Tensor, log_var: Tensor) -> Tensor:
    r"""Twice the KL divergence of Gaussian codes from the standard Gaussian.

    .. math::
        \frac1N \sum_i \sum_l (\mu_{il}^2 + \sigma_{il}^2 - \ln \sigma_{il}^2 - 1)

    Source: DG-VAE (Pu et al., ACM MM 2020), Eq. 11, which leaves the factor 1/2 out.

    Args:
        mean: Means :math:`\mu`, shape (N, D).
        log_var: Log-variances :math:`\ln \sigma^2`, shape (N, D).

    Returns:
        In nats (doubled), summed over the dimensions, averaged over the images, never negative,
        a scalar.
    """
    # expm1, because exp(x) - 1 - x would round to below 0 near x = 0
    return (log_var.expm1() - log_var + mean.square()).sum(dim=1).mean()


@MODELS.register_module()
class StandardGaussianLoss(nn.Module):
    """:func:`standard_gaussian_divergence` as a module."""

    def forward(self, mean: Tensor, log_var: Tensor) -> Tensor:
        """Compute the loss of codes with means and log-variances (N, D), a scalar."""
        return standard_gaussian_divergence(mean, log_var)
