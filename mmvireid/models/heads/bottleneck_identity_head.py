"""Identity classifier behind a narrow layer."""

from collections import OrderedDict

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

from .identity_head import check_num_ids

#: Layers in the paper's and in the released code's order.
ORDERS = dict(
    paper=('reduce', 'norm', 'dropout', 'activation', 'classifier'),
    released=('dropout', 'reduce', 'norm', 'activation', 'classifier'),
)


def init_layers(hidden: list[nn.Linear], norm: nn.BatchNorm1d, classifier: nn.Linear) -> None:
    """Initialise a head as AlignGAN and Hi-CMD were released.

    Args:
        hidden: Layers that get Kaiming's weights, by their number of outputs.
        norm: Its gains are drawn from N(1, 0.02).
        classifier: Its weights are drawn from N(0, 0.001).
    """
    for layer in hidden:
        nn.init.kaiming_normal_(layer.weight, mode='fan_out')
    nn.init.normal_(norm.weight, mean=1.0, std=0.02)
    nn.init.normal_(classifier.weight, std=0.001)
    for layer in (*hidden, norm, classifier):
        nn.init.zeros_(layer.bias)


@MODELS.register_module()
class BottleneckIdentityHead(BaseModule):
    """Two linear layers with BatchNorm, dropout and a rectifier between them.

    Source: AlignGAN (Wang et al., ICCV 2019), Sec. 4.2, initialised as released.

    Args:
        in_channels: Feature size D.
        num_ids: Number of training identities C.
        hidden_channels: Outputs of the first linear layer.
        dropout: Probability of dropout.
        order: ``'paper'`` (linear, BatchNorm, dropout, ReLU, linear) or ``'released'`` (dropout,
            linear, BatchNorm, LeakyReLU of slope 0.1, linear).

    Raises:
        ValueError: If ``order`` is neither, or ``num_ids`` not a positive integer.

    Example:
        >>> import torch
        >>> BottleneckIdentityHead(16, num_ids=5, hidden_channels=8)(torch.rand(4, 16)).shape
        torch.Size([4, 5])
    """

    def __init__(
        self,
        in_channels: int,
        num_ids: int,
        hidden_channels: int = 256,
        dropout: float = 0.5,
        order: str = 'paper',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_num_ids('BottleneckIdentityHead', num_ids)
        if order not in ORDERS:
            raise InvalidValueError(
                f'BottleneckIdentityHead: `order` is {order!r}, expected one of {tuple(ORDERS)}.'
            )
        self.num_ids = num_ids
        parts = dict(
            reduce=nn.Linear(in_channels, hidden_channels),
            norm=nn.BatchNorm1d(hidden_channels),
            dropout=nn.Dropout(dropout),
            activation=nn.ReLU() if order == 'paper' else nn.LeakyReLU(0.1),
            classifier=nn.Linear(hidden_channels, num_ids),
        )
        init_layers([parts['reduce']], parts['norm'], parts['classifier'])
        self.layers = nn.Sequential(OrderedDict((name, parts[name]) for name in ORDERS[order]))

    def forward(self, feature: Tensor) -> Tensor:
        """Classify features (N, D) -> logits (N, C)."""
        return self.layers(feature)
