"""Prior of the identity codes: a mixture of Gaussians with one component per identity."""

from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

#: See :class:`MixturePriorLoss` and ``AdaptiveLargeMarginLoss``.
FORMS = ('sound', 'printed')


def mixture_prior_kl(
    mean: Tensor, log_var: Tensor, class_means: Tensor, labels: Tensor, reduction: str = 'mean'
) -> Tensor:
    r"""KL divergence of a Gaussian identity code from its identity's prior.

    .. math::
        \mathrm{KL}(\mathcal{N}(\mu, \sigma^2) \| \mathcal{N}(m_y, I)) =
        \tfrac12 \sum_{d=1}^{D}
        (\sigma_d^2 + (\mu_d - m_{y,d})^2 - 1 - \ln \sigma_d^2)

    Source: DG-VAE (Pu et al., ACM MM 2020), derived from Eq. 5.
    Deviation: Eq. 6 prints ``+ ln det(sigma)``, see :func:`mixture_prior_printed`.

    Args:
        mean: Posterior means :math:`\mu`, shape (N, D).
        log_var: Posterior log-variances :math:`\ln \sigma^2`, shape (N, D).
        class_means: Prior mean :math:`m_c` of every identity, shape (C, D).
        labels: Identity index of every image, int64 in [0, C), shape (N,).
            Not range-checked: that would stall the GPU in every iteration.
        reduction: ``'mean'`` or ``'sum'`` over the N images, or ``'none'``.

    Returns:
        Divergence in nats, summed over the D dimensions, never negative:
        a scalar, or shape (N,) when ``reduction='none'``.

    Raises:
        ValueError: If the shapes do not fit together, or ``reduction`` is unknown.

    Example:
        >>> import torch
        >>> code = torch.zeros(2, 3)            # N=2, D=3, sigma=1
        >>> prior = torch.ones(5, 3)            # C=5
        >>> mixture_prior_kl(code, code, prior, torch.tensor([0, 4]))
        tensor(1.5000)
    """
    if mean.shape != log_var.shape or mean.shape[1:] != class_means.shape[1:]:
        raise InvalidValueError(
            f'mixture_prior_kl: `mean`, `log_var` and `class_means` have the shapes '
            f'{tuple(mean.shape)}, {tuple(log_var.shape)} and {tuple(class_means.shape)}, '
            'expected (N, D), (N, D) and (C, D).'
        )
    squared = (mean - class_means[labels]).square()
    # expm1, because exp(x) - 1 - x would round to below 0 near x = 0
    divergence = 0.5 * (log_var.expm1() - log_var + squared).sum(dim=1)  # (N,)
    if reduction == 'none':
        return divergence
    if reduction not in ('mean', 'sum'):
        raise InvalidValueError(
            f"mixture_prior_kl: `reduction` is {reduction!r}, expected 'mean', 'sum' or 'none'."
        )
    return divergence.mean() if reduction == 'mean' else divergence.sum()


def mixture_prior_printed(
    code: Tensor, log_var: Tensor, class_means: Tensor, labels: Tensor
) -> Tensor:
    r"""Equation 6 of DG-VAE to the letter, for comparison only.

    .. math:: \ln\det(\sigma) + \tfrac12 \|d - m_y\|^2

    It falls without bound as :math:`\sigma \to 0`.

    Args:
        code: Sampled codes :math:`d`, shape (N, D).
        log_var: Posterior log-variances, shape (N, D).
        class_means: Prior mean of every identity, shape (C, D).
        labels: Identity index of every image, int64 in [0, C), shape (N,).

    Returns:
        Mean over the N images, a scalar of any sign.
    """
    log_det = 0.5 * log_var.sum(dim=1)  # (N,)
    return (log_det + 0.5 * (code - class_means[labels]).square().sum(dim=1)).mean()


@MODELS.register_module()
class MixturePriorLoss(nn.Module):
    """Divergence of identity codes from their identity's component of the prior.

    Args:
        form: ``'sound'`` for :func:`mixture_prior_kl`, ``'printed'`` for
            :func:`mixture_prior_printed`.

    Raises:
        ValueError: If ``form`` is not one of the two.
    """

    def __init__(self, form: str = 'sound') -> None:
        super().__init__()
        check_form(type(self).__name__, form)
        self.form = form

    def forward(
        self, mean: Tensor, log_var: Tensor, code: Tensor, class_means: Tensor, labels: Tensor
    ) -> Tensor:
        """Compute the loss; arguments as in the two functions, a scalar in nats."""
        if self.form == 'printed':
            return mixture_prior_printed(code, log_var, class_means, labels)
        return mixture_prior_kl(mean, log_var, class_means, labels)


def check_form(name: str, form: str) -> None:
    """Raise a ``ValueError`` unless ``form`` is one of :data:`FORMS`."""
    if form not in FORMS:
        raise InvalidValueError(f'{name}: `form` is {form!r}, expected one of {FORMS}.')
