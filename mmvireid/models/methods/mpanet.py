"""MPANet: patterns that both modalities share, and classifiers that teach each other."""

from torch import Tensor

from mmvireid.models.base import BaseReID
from mmvireid.models.batches import sum_over_modalities
from mmvireid.registry import MODELS
from mmvireid.structures import VISIBLE, ReIDDataSample


@MODELS.register_module()
class MPANet(BaseReID):
    """MPANet (Wu et al., CVPR 2021).

    One iteration:

    1. embed both modalities by one network, whose last maps are normalised by as much as they carry
       of the modality (``backbone.plugins``)              -> feature map (2PK, C, h, w)
    2. find parts by masks, pool them and the whole        -> embedding, feature (2PK, D)
    3. teachers have moved towards their students (``TeacherHook``), before any loss
    4. ``identity``: classify the features by one classifier
    5. ``modality_identity``: and by one for each modality, the mean over each, summed
    6. ``teaching``: these shall agree with the other modality's teacher on the same features
    7. ``center``: images near the centre of their identity, centres apart, on the embeddings
    8. ``separation``: masks that do not overlap

    Test: the feature, after the BN-neck.

    Args:
        backbone: Config of the network.
        neck: Config of the neck with masks; ``in_channels`` is taken from the backbone.
        head: Config of the identity head; ``in_channels`` is taken from the neck.
        modality_heads: Config of the classifiers per modality and their teachers; sizes are those
            of the head. ``None`` where their terms have no weight.
        identity_loss: Config of the loss on (logits, labels).
        teaching_loss: Config of the loss on (logits, teachers' logits, number of visible images).
        center_loss: Config of the loss on (embeddings, labels).
        separation_loss: Config of the loss on masks.
        loss_weights: Weights of the terms.
        **kwargs: As in :class:`BaseReID`.

    Raises:
        ValueError: If there are heads per modality and no term for them, or the other way about.
    """

    pair_terms = ('center',)

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        modality_heads: dict | None,
        identity_loss: dict,
        teaching_loss: dict,
        center_loss: dict,
        separation_loss: dict,
        loss_weights: dict[str, float | None],
        **kwargs,
    ) -> None:
        super().__init__(loss_weights, **kwargs)
        self.check_needed_by('modality_identity', ['teaching'], modality_heads=modality_heads)
        channels = self.add_part('backbone', backbone).out_channels
        channels = self.add_part('neck', neck, in_channels=channels).out_channels
        num_ids = self.add_part('head', head, in_channels=channels).num_ids
        self.add_part('modality_heads', modality_heads, in_channels=channels, num_ids=num_ids)
        self.add_losses(
            dict(
                identity=identity_loss,
                teaching=teaching_loss,
                center=center_loss,
                separation=separation_loss,
            )
        )

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms above, see :meth:`BaseReID.loss`.

        Raises:
            ValueError: If an identity is alone in the batch or lacks a modality.
        """
        labels, num_visible = self.gt_labels(data_samples), len(inputs[VISIBLE])
        embedding, feature, masks = self.neck(self.backbone(inputs))
        terms = dict(identity=self.losses['identity'](self.head(feature), labels))
        if self.wants_any('modality_identity', 'teaching'):
            own, taught = self.modality_heads(feature, num_visible)
            terms['modality_identity'] = sum_over_modalities(
                self.losses['identity'], num_visible, own, labels
            )
            terms['teaching'] = self.losses['teaching'](own, taught, num_visible)
        if self.wants('center'):
            terms['center'] = self.losses['center'](embedding, labels)
        if self.wants('separation'):
            terms['separation'] = self.losses['separation'](masks)
        return terms

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Features after the BN-neck (N, D), see :meth:`BaseReID.extract`."""
        return self.neck(self.backbone(inputs)).feature
