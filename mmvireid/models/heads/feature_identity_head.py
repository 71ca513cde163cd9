"""Identity classifier that also makes the retrieval feature."""

from typing import NamedTuple

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.registry import MODELS

from .bottleneck_identity_head import init_layers
from .identity_head import check_num_ids


class Identification(NamedTuple):
    """What a :class:`FeatureIdentityHead` makes of N images.

    Attributes:
        feature: For retrieval, float32, shape (N, D).
        logits: Identity scores, shape (N, C).
        embedding: What triplets compare: the feature, or its projection (N, ``embedding_size``).
    """

    feature: Tensor
    logits: Tensor
    embedding: Tensor


@MODELS.register_module()
class FeatureIdentityHead(BaseModule):
    """A linear layer with BatchNorm makes the feature; dropout and a linear layer classify it.

    Source: Hi-CMD (Choi et al., CVPR 2020), Sec. 3.3, with the BatchNorm, the dropout and the
    initialisation of its release. Released, too, is a projection for the triplet loss
    (``embedding_size=1024``), a linear layer beside the classifier; in the paper triplets compare
    the feature itself, here without dropout.

    Args:
        in_channels: Size of the vectors that it takes.
        num_ids: Number of training identities C.
        feature_size: Feature size D.
        dropout: Probability of dropout.
        embedding_size: Size of the projection, ``None`` for none.

    Raises:
        ValueError: If ``num_ids`` is not a positive integer.

    Example:
        >>> import torch
        >>> found = FeatureIdentityHead(6, num_ids=5, feature_size=8)(torch.rand(4, 6))
        >>> found.feature.shape, found.logits.shape
        (torch.Size([4, 8]), torch.Size([4, 5]))
    """

    def __init__(
        self,
        in_channels: int,
        num_ids: int,
        feature_size: int = 2048,
        dropout: float = 0.5,
        embedding_size: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_num_ids('FeatureIdentityHead', num_ids)
        self.num_ids = num_ids
        self.linear = nn.Linear(in_channels, feature_size)
        self.norm = nn.BatchNorm1d(feature_size)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(feature_size, num_ids)
        hidden, self.embedder = [self.linear], None
        if embedding_size is not None:
            self.embedder = nn.Linear(feature_size, embedding_size)
            hidden.append(self.embedder)
        init_layers(hidden, self.norm, self.classifier)

    def forward(self, vectors: Tensor) -> Identification:
        """Identify what vectors (N, C) stand for, C being ``in_channels``."""
        feature = self.norm(self.linear(vectors).float())  # half precision inside autocast
        dropped = self.dropout(feature)
        embedding = feature if self.embedder is None else self.embedder(dropped)
        return Identification(feature, self.classifier(dropped), embedding)
