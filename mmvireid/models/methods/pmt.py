"""PMT: grey images first, then colours, and distances that are alike in both modalities."""

from torch import Tensor

from mmvireid.models.base import StagedReID
from mmvireid.models.batches import check_positives, split_modalities
from mmvireid.registry import MODELS
from mmvireid.structures import MODALITIES, VISIBLE, ReIDDataSample

from .agw import AGW


@MODELS.register_module()
class PMT(AGW, StagedReID):
    """PMT (Lu et al., AAAI 2023), the "progressive modality-shared transformer".

    One iteration:

    1. see visible images in grey in the first stage and in colour later, infrared ones jittered or
       blurred (``data_preprocessor.views`` and the stages' ``views``)    -> 2PK images
    2. embed both by one transformer, take the class token, normalise     -> embedding, feature
    3. identity term on the classified features, a mean for each modality, added up
    4. first stage: hardest triplets on the embeddings within each modality
    5. later: hardest triplets of the whole batch, distances across the modalities like those within
       (``enhancement``), and images nearer to their centre than near strangers are (``center``)

    Test: the feature after the BN-neck, cosine similarity.

    Which terms count when is the table of ``StageHook``; any network of AGW's form may take the
    transformer's place, as in ``configs/pmt/agw-pmt_sysu.py``.

    Args:
        enhancement_loss: Config of the loss on (embeddings, labels, number of visible images).
        center_loss: Config of the loss on (embeddings, labels).
        **kwargs: As in :class:`AGW`; ``loss_weights`` has ``modality_triplet`` (of the first stage,
            0 later), ``enhancement`` and ``center`` too.
    """

    pair_terms = ('triplet', 'modality_triplet', 'enhancement', 'center')

    def __init__(self, enhancement_loss: dict, center_loss: dict, **kwargs) -> None:
        super().__init__(**kwargs)
        self.enhancement_loss = MODELS.build(enhancement_loss)
        self.center_loss = MODELS.build(center_loss)

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms that the stage wants.

        Raises:
            ValueError: If an identity is alone in the batch, lacks a modality, or has a single
                image of one.
        """
        labels, num_visible = self.cpu_labels(data_samples)[0], len(inputs[VISIBLE])
        if self.wants_any('modality_triplet', 'enhancement'):
            for name, own in zip(MODALITIES, split_modalities(labels, num_visible)):
                check_positives(own, name)
        labels = self.to_device(labels)
        embedding, feature = self.neck(self.backbone(inputs))
        rows = (self.head(feature), embedding, labels)
        sides = [*zip(*(split_modalities(values, num_visible) for values in rows))]
        terms = dict(identity=sum(self.identity_loss(logits, own) for logits, _, own in sides))
        if self.wants('modality_triplet'):
            terms['modality_triplet'] = sum(self.triplet_loss(*side) for _, *side in sides)
        if self.wants('triplet'):
            terms['triplet'] = self.triplet_loss(embedding, labels)
        if self.wants('enhancement'):
            terms['enhancement'] = self.enhancement_loss(embedding, labels, num_visible)
        if self.wants('center'):
            terms['center'] = self.center_loss(embedding, labels)
        return terms
