"""The learnable side of a mixture-of-Gaussians prior."""

import math

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS


@MODELS.register_module()
class MixturePrior(BaseModule):
    """Mean and margin of every identity's component of a mixture of unit Gaussians.

    Source: DG-VAE (Pu et al., ACM MM 2020), Eqs. 2 and 8: random means, margins that are never
    negative (here by a softplus).

    Args:
        num_ids: Number of training identities C.
        code_size: Dimensions D of a code.
        init_std: Standard deviation of the means at the start, in units of the components'.
        init_margin: Margin of every identity at the start, positive.

    Raises:
        ValueError: If ``init_margin`` is not positive.

    Example:
        >>> class_means, margins = MixturePrior(5, 8)()
        >>> class_means.shape, margins.shape
        (torch.Size([5, 8]), torch.Size([5]))
    """

    def __init__(
        self,
        num_ids: int,
        code_size: int,
        init_std: float = 0.01,
        init_margin: float = 1.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if init_margin <= 0:
            raise InvalidValueError(
                f'MixturePrior: `init_margin` is {init_margin}, expected a positive number: '
                'softplus never reaches 0.'
            )
        self.num_ids = num_ids
        self.class_means = nn.Parameter(init_std * torch.randn(num_ids, code_size))
        start = math.log(math.expm1(init_margin))  # softplus of it is the margin
        self.margin_logits = nn.Parameter(torch.full((num_ids,), start))

    def forward(self) -> tuple[Tensor, Tensor]:
        """Class means (C, D) and margins (C,)."""
        # a view: DistributedDataParallel takes a parameter that is returned itself for unused
        return self.class_means.view_as(self.class_means), F.softplus(self.margin_logits)
