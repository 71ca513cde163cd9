"""From prototypes and styles to identities."""

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.models.base import with_sizes
from mmvireid.models.batches import Groups
from mmvireid.models.heads.feature_identity_head import Identification
from mmvireid.models.necks import AveragePooling
from mmvireid.registry import MODELS


@MODELS.register_module()
class CodeIdentityNetwork(BaseModule):
    """Embed prototypes, combine each with a style, mix the two and tell who it is.

    Source: the hierarchical feature learning module of Hi-CMD (Choi et al., CVPR 2020), Sec. 3.3.

    Args:
        prototype_channels: Channels C of the prototypes.
        style_size: Size D_s of the styles.
        trunk: Config of the network that embeds prototypes, before they are pooled [H]; ``None``
            where the mix takes none.
        mix: Config of the mix of prototype and style [alpha].
        head: Config of the head that makes the feature [f]; ``in_channels`` is taken from the mix.

    Raises:
        ValueError: If the trunk does not take such prototypes, or only one of trunk and mix
            wants any.
    """

    def __init__(
        self,
        prototype_channels: int,
        style_size: int,
        trunk: dict | None,
        mix: dict,
        head: dict,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.trunk = None if trunk is None else MODELS.build(trunk)
        self.pooling = AveragePooling()
        self.mix = MODELS.build(mix)
        if (self.trunk is None) == ('prototype' in self.mix.codes):
            raise InvalidValueError(
                f'CodeIdentityNetwork: `trunk` is {trunk} and `mix.codes` {self.mix.codes}, '
                'expected a trunk just where prototypes are mixed.'
            )
        if self.trunk is not None and self.trunk.in_channels != prototype_channels:
            raise InvalidValueError(
                f'CodeIdentityNetwork: `trunk` takes maps of {self.trunk.in_channels} channels, '
                f'expected {prototype_channels}, those of the prototypes: choose its `depth` and '
                '`stages`, or the width of the prototype encoder, accordingly.'
            )
        embedded_size = 0 if self.trunk is None else self.trunk.out_channels
        in_channels = self.mix.out_channels(embedded_size, style_size)
        sized = with_sizes('CodeIdentityNetwork.head', head, in_channels=in_channels)
        self.head = MODELS.build(sized)

    def forward(
        self,
        prototypes: Tensor,
        styles: Tensor,
        prototype_rows: Tensor | None = None,
        style_rows: Tensor | None = None,
        groups: Groups | None = None,
    ) -> Identification:
        """Identify combinations; each prototype is embedded once.

        In training BatchNorm normalises what passes together: trunk and head see everything in one
        pass, or one pass of each group after the other.

        Args:
            prototypes: Shape (N, C, h, w).
            styles: Shape (N, D_s).
            prototype_rows: Which prototype each combination has, int64, shape (R,); ``None`` for
                the N own ones.
            style_rows: Which style it has, likewise (R,).
            groups: Sizes of the groups: images for the trunk, rows for the head; ``None`` for one.
        """
        embedded = None
        if self.trunk is not None:
            passes = prototypes.split(groups.images) if groups else [prototypes]
            embedded = torch.cat([self.pooling(self.trunk(maps)) for maps in passes])
        if embedded is not None and prototype_rows is not None:
            embedded = embedded[prototype_rows]
        if style_rows is not None:
            styles = styles[style_rows]
        mixed = self.mix(embedded, styles)
        passes = mixed.split(groups.rows) if groups else [mixed]
        return Identification(*map(torch.cat, zip(*map(self.head, passes))))
