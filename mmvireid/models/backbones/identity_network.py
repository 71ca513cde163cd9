"""A feature extractor with what teaches it identities."""

from collections.abc import Sequence
from typing import NamedTuple

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvireid.models.necks import AveragePooling
from mmvireid.registry import MODELS

from .imagenet_input import ImageNetInput


class Analysis(NamedTuple):
    """What an :class:`IdentityNetwork` makes of N images.

    Attributes:
        feature_map: Map of every image, shape (N, C, h, w).
        feature: Its mean over all positions, for retrieval, float32, shape (N, C).
        logits: Identity scores, shape (N, num_ids).
        embedding: What triplets compare, shape (N, D).
    """

    feature_map: Tensor
    feature: Tensor
    logits: Tensor
    embedding: Tensor


@MODELS.register_module()
class IdentityNetwork(BaseModule):
    """Map, pool, classify and embed images that a generator may have made.

    Images have values in [-1, 1], as generators make them; they are resized and normalised for an
    ImageNet network here, and gradients flow back to them. The classifier and the embedder both
    see the pooled map.

    Source: the feature module of AlignGAN (Wang et al., ICCV 2019), Sec. 4.2.

    Args:
        size: Height and width that the extractor sees images at.
        extractor: Config of the network that makes the map.
        classifier: Config of the identity head; ``in_channels`` is taken from the extractor.
        embedding_size: Size D of the embedding, made by one linear layer.

    Attributes:
        out_channels (int): Channels C of the map.
    """

    def __init__(
        self,
        size: Sequence[int],
        extractor: dict,
        classifier: dict,
        embedding_size: int = 256,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.input = ImageNetInput(size)
        self.extractor = MODELS.build(extractor)
        self.pooling = AveragePooling()
        self.out_channels = self.extractor.out_channels
        self.classifier = MODELS.build(classifier | dict(in_channels=self.out_channels))
        self.embedder = nn.Linear(self.out_channels, embedding_size)

    def forward(self, images: Tensor) -> Analysis:
        """Analyse images in [-1, 1], shape (N, 3, H, W)."""
        feature_map = self.extractor(self.input(images))
        feature = self.pooling(feature_map)
        return Analysis(feature_map, feature, self.classifier(feature), self.embedder(feature))
