"""CAJ: visible images seen twice, once without their colours."""

from collections.abc import Sequence

from torch import Tensor

from mmvireid.models.batches import view_rows
from mmvireid.registry import MODELS
from mmvireid.structures import ReIDDataSample

from .agw import AGW


@MODELS.register_module()
class CAJ(AGW):
    """CAJ (Ye et al., ICCV 2021) and CAJ+ (TPAMI 2023), on AGW's network.

    One iteration:

    1. see every drawn image: visible ones as they are and with one channel in place of all three,
       infrared ones in another contrast; each view with a crop, flip and erased rectangle of its
       own (``data_preprocessor.views``)                      -> 3PK images
    2. the steps of :class:`AGW`, with the squared-difference triplet loss; both visible views go
       through the visible stem
    3. CAJ+: the plain view shall be classified as the exchanged one is

    Test: as AGW; the headline figures add the mirrored image.

    Args:
        soft_identity_loss: Config of the loss on (logits, target logits); ``None`` for CAJ.
        soft_views: Which view learns, and which one it learns from.
        **kwargs: As in :class:`AGW`; ``loss_weights`` has ``soft_identity`` too, for CAJ+.

    Raises:
        ValueError: If the loss and its weight do not come together, or a view is missing.
    """

    def __init__(
        self,
        soft_identity_loss: dict | None = None,
        soft_views: Sequence[str] = ('visible', 'exchanged'),
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.check_needed_by('soft_identity', soft_identity_loss=soft_identity_loss)
        self.soft_views = tuple(soft_views)
        if soft_identity_loss is not None:
            self.check_views('soft_views', self.soft_views, one_modality=True)
            self.soft_identity_loss = MODELS.build(soft_identity_loss)

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms ``identity``, ``triplet`` and ``soft_identity``.

        Raises:
            ValueError: If an identity is alone in the batch or lacks a modality.
        """
        labels = self.gt_labels(data_samples)
        embedding, feature = self.neck(self.backbone(inputs))
        logits = self.head(feature)
        terms = dict(
            identity=self.identity_loss(logits, labels),
            triplet=self.triplet_loss(embedding, labels),
        )
        if 'soft_identity' in self.loss_weights and self.wants('soft_identity'):
            rows = view_rows(data_samples)
            learner, teacher = (logits[rows[name]] for name in self.soft_views)
            terms['soft_identity'] = self.soft_identity_loss(learner, teacher)
        return terms
