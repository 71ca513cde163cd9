"""Two codes of an image in one vector, with a learnable balance."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

#: Codes that can be mixed, or taken alone.
CODES = (('prototype', 'style'), ('prototype',), ('style',))
#: What the parameter is: the logit of alpha, or alpha itself.
FORMS = ('sigmoid', 'free')


@MODELS.register_module()
class CodeMix(nn.Module):
    r"""Normalise a prototype and a style code, weigh one against the other, and concatenate.

    .. math:: \bigl[\alpha\, p / \|p\| \; ; \; (1 - \alpha)\, s / \|s\|\bigr]

    Source: Hi-CMD (Choi et al., CVPR 2020), Sec. 3.3; each code is normalised as released, or else
    alpha would have no scale.
    Deviation: the paper says that alpha is in [0, 1], not how; here it is a sigmoid. The release
    has the form ``'free'`` with the factors ``min(alpha, 1)`` and ``max(1 - alpha, 0)``. Above 1
    both are constant: alpha has no gradient any more, and the style is lost for good.

    Args:
        codes: ``('prototype', 'style')``, or one of them alone, which then has the factor 1.
        form: ``'sigmoid'`` (alpha is the sigmoid of the parameter) or ``'free'`` (the parameter).
        start: Alpha at the start, between 0 and 1.

    Attributes:
        codes (tuple[str, ...]): The codes that are used.
        weight (Tensor): The parameter, a scalar; a constant for one code alone.

    Raises:
        ValueError: If an argument is not allowed.

    Example:
        >>> CodeMix()(torch.tensor([[3.0, 4.0]]), torch.tensor([[2.0]]))
        tensor([[0.3000, 0.4000, 0.5000]], grad_fn=<CatBackward0>)
    """

    def __init__(
        self,
        codes: Sequence[str] = ('prototype', 'style'),
        form: str = 'sigmoid',
        start: float = 0.5,
    ) -> None:
        super().__init__()
        self.codes = tuple(codes)
        if self.codes not in CODES:
            raise InvalidValueError(f'CodeMix: `codes` is {codes}, expected one of {CODES}.')
        if form not in FORMS or not 0 < start < 1:
            raise InvalidValueError(
                f'CodeMix: `form` is {form!r} and `start` {start}, expected one of {FORMS}, and a '
                'number between 0 and 1.'
            )
        self.form = form
        mixes = len(self.codes) == 2
        alpha = torch.tensor(start if mixes else float('prototype' in self.codes))
        weight = alpha.logit() if form == 'sigmoid' else alpha
        if mixes:
            self.weight = nn.Parameter(weight)
        else:
            self.register_buffer('weight', weight, persistent=False)

    @property
    def alpha(self) -> Tensor:
        """Weight of the prototype, a scalar: 1 for a prototype alone, 0 for a style alone."""
        return self.weight.sigmoid() if self.form == 'sigmoid' else self.weight

    def out_channels(self, prototype_channels: int, style_channels: int) -> int:
        """Size of the mix of codes of these sizes."""
        sizes = dict(prototype=prototype_channels, style=style_channels)
        return sum(sizes[code] for code in self.codes)

    def forward(self, prototype: Tensor | None, style: Tensor | None) -> Tensor:
        """Mix.

        Args:
            prototype: Embedded prototypes, shape (N, D_p); not looked at if not used.
            style: Style codes, shape (N, D_s); not looked at if not used.

        Returns:
            Shape (N, D_p + D_s), or that of the only code.
        """
        vectors = dict(prototype=prototype, style=style)
        factors = dict(prototype=self.alpha.clamp(max=1), style=(1 - self.alpha).clamp(min=0))
        return torch.cat([factors[code] * F.normalize(vectors[code]) for code in self.codes], dim=1)
