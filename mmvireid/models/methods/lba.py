"""LbA: feature maps made again of those of the other modality."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from mmvireid.errors import InvalidValueError
from mmvireid.models.batches import draw_cross_modality_triplets
from mmvireid.models.layers import align
from mmvireid.registry import MODELS
from mmvireid.structures import ReIDDataSample

from .agw import AGW


@MODELS.register_module()
class LbA(AGW):
    """LbA, learning by aligning (Park et al., ICCV 2021).

    One iteration:

    1. embed both modalities, keep the maps before and behind the last stage
    2. draw for every image a positive, of its identity, and a negative, of another one, both of the
       other modality
    3. pool and normalise the last map: identity and triplet term, as in AGW
    4. make both maps of every image again of its positive's and of its negative's (:func:`align`)
    5. aligned_identity term: what is made of the positives is classified, the earlier map behind
       the last stage; a mean for each of the two
    6. dense term: at positions that stand out in both, a map is nearer to what was made of the
       positive than to what was made of the negative; the sum over the two maps

    Test: the embedding before the BN-neck, cosine similarity; nothing is aligned.

    Source: the paper, and its authors' code only for numbers. Deviation: positives are drawn one by
    one; the release takes each of an identity's images once, and negatives of K different
    identities.

    Args:
        dense_loss: Config of the loss on (maps, positives, negatives, attention).
        **kwargs: As in :class:`AGW`; ``loss_weights`` has ``aligned_identity`` and ``dense`` too.

    Raises:
        ValueError: If the backbone shares no stage, or has plug-ins.
    """

    def __init__(self, dense_loss: dict, **kwargs) -> None:
        super().__init__(**kwargs)
        self.dense_loss = MODELS.build(dense_loss)
        if not len(getattr(self.backbone, 'trunk', ())) or self.backbone.plugins:
            raise InvalidValueError(
                'LbA: `backbone` has plug-ins, or no stage that both modalities share, expected '
                'such a stage and no plug-ins: maps are aligned before and behind the last one.'
            )

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms ``identity``, ``triplet``, ``aligned_identity`` and ``dense``.

        Raises:
            ValueError: If an identity is alone in the batch or lacks a modality.
        """
        labels = self.gt_labels(data_samples)
        last = self.backbone.trunk[-1]
        with _input_of(last) as seen:
            behind = self.backbone(inputs)
        [before] = seen
        embedding, feature = self.neck(behind)
        terms = dict(
            identity=self.identity_loss(self.head(feature), labels),
            triplet=self.triplet_loss(embedding, labels),
        )
        if self.wants_any('aligned_identity', 'dense'):
            drawn = draw_cross_modality_triplets(*self.cpu_labels(data_samples))
            partners = [self.to_device(rows) for rows in drawn]
            pairs = [[align(x, x[rows]) for rows in partners] for x in (before, behind)]
        if self.wants('aligned_identity'):
            again = (last(pairs[0][0].maps), pairs[1][0].maps)
            terms['aligned_identity'] = sum(
                self.identity_loss(self.head(self.neck(maps)[1]), labels) for maps in again
            )
        if self.wants('dense'):
            terms['dense'] = sum(
                self.dense_loss(x, positive.maps, negative.maps, positive.attention)
                for x, (positive, negative) in zip((before, behind), pairs)
            )
        return terms

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Embeddings before the BN-neck (N, D), see :meth:`BaseReID.extract`."""
        return self.neck(self.backbone(inputs))[0]


@contextmanager
def _input_of(module: nn.Module) -> Iterator[list[Tensor]]:
    """What a part of a network gets while the network is called, by call."""
    seen = []
    handle = module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        yield seen
    finally:
        handle.remove()
