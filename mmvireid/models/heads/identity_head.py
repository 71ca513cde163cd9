"""Identity classifier."""

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS


def check_num_ids(owner: str, num_ids: int) -> None:
    """Check that a config says how many identities there are.

    Raises:
        ValueError: If ``num_ids`` is not a positive integer; names the class of ``owner``.
    """
    if not isinstance(num_ids, int) or num_ids < 1:
        raise InvalidValueError(
            f'{owner}: `num_ids` is {num_ids!r}, expected the number of training '
            'identities (a positive integer); set its `num_ids` in the config of the model.'
        )


@MODELS.register_module()
class IdentityHead(BaseModule):
    """One linear layer, weights from N(0, 0.001) as a rule.

    Args:
        in_channels: Feature size D.
        num_ids: Number of training identities C.
        bias: Whether the layer has a bias, 0 at the start.
        negative_slope: Slope of a LeakyReLU before it; ``None`` for none.
        std: Standard deviation of the weights at the start; ``None`` for torch's own start, of the
            bias too.

    Raises:
        ValueError: If ``num_ids`` is not a positive integer (a config that leaves it open must
            be completed, see ``configs/_base_/models/agw_resnet50.py``).
    """

    def __init__(
        self,
        in_channels: int,
        num_ids: int,
        bias: bool = False,
        negative_slope: float | None = None,
        std: float | None = 0.001,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_num_ids('IdentityHead', num_ids)
        self.num_ids, self.negative_slope = num_ids, negative_slope
        self.classifier = nn.Linear(in_channels, num_ids, bias=bias)
        if std is not None:
            nn.init.normal_(self.classifier.weight, std=std)
            if bias:
                nn.init.zeros_(self.classifier.bias)

    def forward(self, feature: Tensor) -> Tensor:
        """Classify features (N, D) -> logits (N, C)."""
        if self.negative_slope is not None:
            feature = F.leaky_relu(feature, self.negative_slope)
        return self.classifier(feature)
