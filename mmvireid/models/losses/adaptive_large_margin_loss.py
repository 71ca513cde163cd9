"""Separation of the components of the mixture prior, with a learnable margin per identity."""

import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.distances import pairwise_distance
from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

from .mixture_prior_loss import check_form


def large_margin_cross_entropy(
    distances: Tensor, positive_distances: Tensor, labels: Tensor
) -> Tensor:
    r"""Cross-entropy of class distances, the own class's distance being given separately.

    .. math::
        -\frac1N \sum_i \ln \frac{e^{-p_i}}{e^{-p_i} + \sum_{c \ne y_i} e^{-d_{ic}}}

    Computed in log space: with thousands of dimensions every exponential would underflow.

    Args:
        distances: Squared distances from every class mean :math:`d_{ic}`, shape (N, C).
        positive_distances: What stands for the own class :math:`p_i`, shape (N,).
        labels: Identity index of every image, int64 in [0, C), shape (N,).

    Returns:
        Mean over the N images in nats, never negative, a scalar.
    """
    logits = (-distances).scatter(1, labels[:, None], -positive_distances[:, None])
    return F.cross_entropy(logits, labels)


def adaptive_large_margin(
    code: Tensor,
    class_means: Tensor,
    margins: Tensor,
    labels: Tensor,
    margin_weight: float,
    factor: float = 1.0,
) -> Tensor:
    r"""Pull a code to its identity's mean, by a margin closer than to all others.

    .. math::
        -\frac1N \sum_i \ln \frac{e^{-(s\|d_i - m_{y_i}\|^2 + \alpha_{y_i})}}
        {e^{-(s\|d_i - m_{y_i}\|^2 + \alpha_{y_i})} + \sum_{c \ne y_i} e^{-s\|d_i - m_c\|^2}}
        - \frac{\lambda}{C} \sum_c \alpha_c

    Source: DG-VAE (Pu et al., ACM MM 2020), Eq. 7, with the margin of AdaptiveFace (Liu et al.,
    CVPR 2019) that it names as its model.
    Deviation: Eq. 8 prints another positive distance, see :func:`printed_positive_distance`;
    Eq. 7 has no factor s, that is 1.

    The margin makes the own class harder, and the last term keeps it from shrinking to 0: a margin
    rests where its identity's codes are taken for another's with probability :math:`\lambda`.

    Args:
        code: Sampled codes :math:`d`, shape (N, D).
        class_means: Mean :math:`m_c` of every identity, shape (C, D).
        margins: Margin :math:`\alpha_c \ge 0` of every identity, shape (C,).
        labels: Identity index of every image, int64 in [0, C), shape (N,).
        margin_weight: The :math:`\lambda` above, in [0, 1).
        factor: The :math:`s` above, positive.

    Returns:
        Mean over the N images, a scalar.
    """
    distances = factor * pairwise_distance(code, class_means, squared=True, eps=0.0)  # (N, C)
    positive = distances.gather(1, labels[:, None]).squeeze(1) + margins[labels]
    cross_entropy = large_margin_cross_entropy(distances, positive, labels)
    return cross_entropy - margin_weight * margins.mean()


def printed_positive_distance(
    code: Tensor, mean: Tensor, log_var: Tensor, margins: Tensor, labels: Tensor
) -> Tensor:
    r"""Equation 8 of DG-VAE to the letter: the distance of a code from its own posterior mean.

    .. math:: (d - \mu)^\top \sigma^{-1} (d - \mu) - \alpha_y

    With :math:`d = \mu + \sigma \epsilon` the first part is noise that no weight can lower but by
    :math:`\sigma \to 0`, and a free :math:`\alpha_y` grows without bound.

    Args:
        code: Sampled codes :math:`d`, shape (N, D).
        mean: Posterior means :math:`\mu`, shape (N, D).
        log_var: Posterior log-variances, shape (N, D).
        margins: Margin of every identity, shape (C,).
        labels: Identity index of every image, int64 in [0, C), shape (N,).

    Returns:
        Of any sign, shape (N,).
    """
    return ((code - mean).square() * (-0.5 * log_var).exp()).sum(dim=1) - margins[labels]


@MODELS.register_module()
class AdaptiveLargeMarginLoss(nn.Module):
    """Separate identity codes by their distances from the means of the mixture prior.

    Squared distances are sums over D dimensions, and between classes that are two units apart in
    each, 2048 dimensions make 8192: no margin of a few units is felt, and no gradient is left.
    ``scale`` makes means of them.

    Args:
        margin_weight: Weight of the term that keeps margins from shrinking, in [0, 1).
        form: ``'sound'`` for :func:`adaptive_large_margin`, ``'printed'`` for the same softmax
            with :func:`printed_positive_distance` and without that term.
        scale: What the mean over the dimensions is multiplied by, positive; ``None`` for the sum,
            as printed. With ``form='sound'`` only.

    Raises:
        ValueError: If an argument is not allowed.
    """

    def __init__(
        self, margin_weight: float = 0.1, form: str = 'sound', scale: float | None = None
    ) -> None:
        super().__init__()
        check_form(type(self).__name__, form)
        if not 0 <= margin_weight < 1:
            raise InvalidValueError(
                f'AdaptiveLargeMarginLoss: `margin_weight` is {margin_weight}, expected a value in '
                '[0, 1): margins would grow without bound.'
            )
        if scale is not None and (scale <= 0 or form == 'printed'):
            raise InvalidValueError(
                f'AdaptiveLargeMarginLoss: `scale` is {scale} with `form` {form!r}, expected a '
                "positive number with 'sound', or None."
            )
        self.form = form
        self.margin_weight = margin_weight
        self.scale = scale

    def forward(
        self,
        mean: Tensor,
        log_var: Tensor,
        code: Tensor,
        class_means: Tensor,
        margins: Tensor,
        labels: Tensor,
    ) -> Tensor:
        """Compute the loss; arguments as in the functions, a scalar."""
        if self.form == 'printed':
            positive = printed_positive_distance(code, mean, log_var, margins, labels)
            distances = pairwise_distance(code, class_means, squared=True, eps=0.0)
            return large_margin_cross_entropy(distances, positive, labels)
        factor = 1.0 if self.scale is None else self.scale / code.shape[1]
        return adaptive_large_margin(code, class_means, margins, labels, self.margin_weight, factor)
