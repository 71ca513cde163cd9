"""Neck of horizontal stripes."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

#: Initialisation of the reduction (Kaiming's), and what follows its BatchNorm.
MODES = ('fan_in', 'fan_out')


def stripe_bounds(height: int, num_stripes: int, overlap: bool = False) -> list[tuple[int, int]]:
    """First and last row (exclusive) of the stripes of a map, from top to bottom.

    Args:
        height: Rows h of the map.
        num_stripes: Number p of stripes.
        overlap: Whether they may overlap: each has h - (p - 1) floor(h / p) rows, and the next one
            begins floor(h / p) rows below it. Where p divides h they do not.

    Raises:
        ValueError: If p does not divide h and they may not, or there are less rows than stripes.

    Example:
        >>> stripe_bounds(6, 3), stripe_bounds(7, 3, overlap=True)
        ([(0, 2), (2, 4), (4, 6)], [(0, 3), (2, 5), (4, 7)])
    """
    step = height // num_stripes
    if step == 0 or (height % num_stripes and not overlap):
        raise InvalidValueError(
            f'StripeNeck: `num_stripes` is {num_stripes} with feature maps of {height} rows, '
            'expected a divisor of that. Change it, or the height of the images, or the '
            "backbone's `last_stride`; or let stripes overlap (`overlap=True`)."
        )
    size = height - (num_stripes - 1) * step
    return [(i * step, i * step + size) for i in range(num_stripes)]


class _Part(nn.Module):
    """From a pooled stripe (N, D) to its embedding and its feature."""

    def __init__(
        self, in_channels: int, channels: int | None, init_mode: str, relu: bool, bn_bias: bool
    ) -> None:
        super().__init__()
        self.reduction = None
        if channels is not None:
            self.reduction = nn.Linear(in_channels, channels)
            nn.init.kaiming_normal_(self.reduction.weight, mode=init_mode)
            nn.init.zeros_(self.reduction.bias)
        self.bn = nn.BatchNorm1d(in_channels if channels is None else channels)
        nn.init.normal_(self.bn.weight, mean=1.0, std=0.01)
        self.bn.bias.requires_grad_(bn_bias)
        self.relu = nn.ReLU() if relu else nn.Identity()

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        if self.reduction is None:
            return pooled, self.relu(self.bn(pooled))
        feature = self.relu(self.bn(self.reduction(pooled).float()))
        return feature, feature


@MODELS.register_module()
class StripeNeck(BaseModule):
    """Cut a feature map into horizontal stripes, and make an embedding and a feature of each.

    Each stripe is pooled, reduced by a linear layer if wanted, and normalised over the batch by
    layers of its own. Without a reduction the embedding is the pooled vector, as in
    :class:`BNNeck`; with one both are the normalised, reduced vector.

    Sources: PCB (Sun et al., ECCV 2018); 512 channels: TSLFN+HC (Zhu et al., Neurocomputing 2020);
    256 channels and ReLU: HCT (Liu et al., TMM 2020); no reduction, the whole map too: RLE
    (NeurIPS 2024).

    Args:
        in_channels: Channels C of the feature map.
        num_stripes: Number of stripes.
        pooling: Config of the pooling module, (N, C, h, w) -> (N, C).
        whole: Whether the whole map is one more part, the last.
        channels: Size of the reduced vectors, ``None`` for no reduction.
        init_mode: Kaiming's ``'fan_in'`` or ``'fan_out'`` for the reduction; its bias starts at 0.
        relu: Whether a ReLU follows the normalisation.
        bn_bias: Whether the shift of the normalisation is learned.
        overlap: Whether stripes may overlap, see :func:`stripe_bounds`.

    Attributes:
        num_parts (int): Number of stripes, and the whole.
        out_channels (int): Size D of each embedding and feature.

    Raises:
        ValueError: If an argument is not allowed; while running, if the stripes do not divide the
            map.

    Example:
        >>> import torch
        >>> neck = StripeNeck(8, num_stripes=3, pooling=dict(type='AveragePooling'), whole=True)
        >>> embeddings, features = neck(torch.rand(4, 8, 6, 2))
        >>> len(embeddings), features[0].shape
        (4, torch.Size([4, 8]))
    """

    def __init__(
        self,
        in_channels: int,
        num_stripes: int,
        pooling: dict,
        whole: bool = False,
        channels: int | None = None,
        init_mode: str = 'fan_in',
        relu: bool = False,
        bn_bias: bool = False,
        overlap: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_stripes < 1 or init_mode not in MODES:
            raise InvalidValueError(
                f'StripeNeck: `num_stripes` is {num_stripes} and `init_mode` {init_mode!r}, '
                f'expected at least 1, and one of {MODES}.'
            )
        self.num_stripes, self.whole, self.overlap = num_stripes, whole, overlap
        self.pooling = MODELS.build(pooling)
        self.num_parts = num_stripes + whole
        self.out_channels = in_channels if channels is None else channels
        self.parts = nn.ModuleList(
            _Part(in_channels, channels, init_mode, relu, bn_bias) for _ in range(self.num_parts)
        )

    def forward(self, feature_map: Tensor) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """Cut, pool and normalise.

        Args:
            feature_map: Shape (N, C, h, w).

        Returns:
            Embeddings and features of all parts, from top to bottom, then of the whole, float32,
            each (N, D).
        """
        bounds = stripe_bounds(feature_map.shape[2], self.num_stripes, self.overlap)
        pieces = [feature_map[:, :, top:bottom] for top, bottom in bounds]
        pieces += [feature_map] * self.whole
        pooled = [self.pooling(piece) for piece in pieces]
        embeddings, features = zip(*(part(rows) for part, rows in zip(self.parts, pooled)))
        return embeddings, features
