"""A classifier for each part of an image."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS

from .identity_head import check_num_ids


@MODELS.register_module()
class PartHeads(BaseModule):
    """Equal classifiers with weights of their own, one for each feature of a :class:`StripeNeck`.

    Args:
        in_channels: Size D of each feature.
        num_parts: How many features.
        num_ids: Number of training identities C.
        part: Config of one classifier, such as ``dict(type='IdentityHead')``; its sizes follow.

    Raises:
        ValueError: If ``num_ids`` is not a positive integer, or ``part`` has sizes of its own.

    Example:
        >>> import torch
        >>> heads = PartHeads(8, num_parts=2, num_ids=5, part=dict(type='IdentityHead'))
        >>> [logits.shape for logits in heads([torch.rand(4, 8)] * 2)]
        [torch.Size([4, 5]), torch.Size([4, 5])]
    """

    def __init__(
        self,
        in_channels: int,
        num_parts: int,
        num_ids: int,
        part: dict,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_num_ids('PartHeads', num_ids)
        self.num_ids = num_ids
        sizes = dict(in_channels=in_channels, num_ids=num_ids)
        if set(sizes) & set(part):
            raise InvalidValueError(
                f'PartHeads: `part` is {dict(part)}, expected none of {[*sizes]}: they follow.'
            )
        self.heads = nn.ModuleList(MODELS.build(dict(part, **sizes)) for _ in range(num_parts))

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Classify the features of all parts, each (N, D) -> logits, each (N, C)."""
        return [head(feature) for head, feature in zip(self.heads, features, strict=True)]
