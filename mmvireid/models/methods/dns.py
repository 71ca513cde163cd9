"""DNS: modalities brought to one law, and classifiers that teach each other."""

from torch import Tensor

from mmvireid.models.base import BaseReID
from mmvireid.models.batches import split_modalities, sum_over_modalities
from mmvireid.registry import MODELS
from mmvireid.structures import VISIBLE, ReIDDataSample


@MODELS.register_module()
class DNS(BaseReID):
    """DNS ("Domain Shifting", Jiang et al., ECCV 2024).

    One iteration:

    1. embed both modalities: own stages to layer2, shared ones with attention to rows and columns
       (``backbone.plugins``)                               -> feature map (2PK, C, h, w)
    2. pool (GeM) and normalise                             -> embedding, feature (2PK, D)
    3. in training, make a second vector of the map's mean  -> branch (2PK, D)
    4. teachers have moved towards their students (``TeacherHook``), before any loss
    5. ``identity``: classify the features; ``circle``: compare them
    6. ``modality_gap``: both modalities shall have one law, of embeddings and of branches, the sum
       of the two; ``branch_gap``: so shall embeddings and branches, of each modality
    7. ``modality_identity``, ``teaching``: on features and on branches, a classifier for each
       modality, which shall agree with the other modality's teacher; the sum of the two

    Test: the feature, after the BN-neck.

    Args:
        backbone: Config of the two-stream network.
        neck: Config of the neck; ``in_channels`` is taken from the backbone.
        branch: Config of what makes the second vectors; its size is taken from the backbone.
            ``None`` for a network without: terms are on embeddings and features alone.
        head: Config of the identity head; ``in_channels`` is taken from the backbone.
        modality_heads: Config of the classifiers per modality and their teachers; sizes are those
            of the head. ``None`` where their terms have no weight.
        identity_loss: Config of the loss on (logits, labels).
        circle_loss: Config of the loss on (features, labels).
        gap_loss: Config of the loss on two groups of vectors.
        teaching_loss: Config of the loss on (logits, teachers' logits, number of visible images).
        loss_weights: Weights of the terms.
        **kwargs: As in :class:`BaseReID`.

    Raises:
        ValueError: If a part is there and no term for it, or the other way about.
    """

    pair_terms = ('circle',)

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        branch: dict | None,
        head: dict,
        modality_heads: dict | None,
        identity_loss: dict,
        circle_loss: dict,
        gap_loss: dict,
        teaching_loss: dict,
        loss_weights: dict[str, float | None],
        **kwargs,
    ) -> None:
        super().__init__(loss_weights, **kwargs)
        self.check_needed_by('branch_gap', branch=branch)
        self.check_needed_by('modality_identity', ['teaching'], modality_heads=modality_heads)
        channels = self.add_part('backbone', backbone).out_channels
        self.add_part('neck', neck, in_channels=channels)
        self.branch = self.add_part('branch', branch, in_channels=channels)
        num_ids = self.add_part('head', head, in_channels=channels).num_ids
        self.add_part('modality_heads', modality_heads, in_channels=channels, num_ids=num_ids)
        losses = dict(identity=identity_loss, circle=circle_loss, gap=gap_loss)
        self.add_losses(losses | dict(teaching=teaching_loss))

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms above, see :meth:`BaseReID.loss`.

        Raises:
            ValueError: If an identity is alone in the batch or lacks a modality.
        """
        labels, num_visible = self.gt_labels(data_samples), len(inputs[VISIBLE])
        feature_map = self.backbone(inputs)
        embedding, feature = self.neck(feature_map)
        embeddings, features = [embedding], [feature]
        if self.branch is not None:
            branch = self.branch(feature_map.float().mean(dim=(2, 3)))
            embeddings.append(branch)
            features.append(branch)
        terms = dict(identity=self.losses['identity'](self.head(feature), labels))
        if self.wants('circle'):
            terms['circle'] = self.losses['circle'](feature, labels)
        terms |= self._gaps(embeddings, num_visible)
        if self.wants_any('modality_identity', 'teaching'):
            taught = [self._teach(rows, labels, num_visible) for rows in features]
            terms |= {term: sum(each[term] for each in taught) for term in taught[0]}
        return terms

    def _gaps(self, groups: list[Tensor], num_visible: int) -> dict[str, Tensor]:
        """The terms on laws, of embeddings and, if there are any, branches, each (N, D)."""
        gap, terms = self.losses['gap'], {}
        parts = [split_modalities(group, num_visible) for group in groups]
        if self.wants('modality_gap'):
            terms['modality_gap'] = sum(gap(*pair) for pair in parts)
        if self.wants('branch_gap'):
            terms['branch_gap'] = sum(gap(*pair) for pair in zip(*parts))
        return terms

    def _teach(self, rows: Tensor, labels: Tensor, num_visible: int) -> dict[str, Tensor]:
        """The terms of the classifiers per modality on one kind of vectors (N, D)."""
        own, taught = self.modality_heads(rows, num_visible)
        identity = sum_over_modalities(self.losses['identity'], num_visible, own, labels)
        return dict(
            modality_identity=identity,
            teaching=self.losses['teaching'](own, taught, num_visible),
        )

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Features after the BN-neck (N, D), see :meth:`BaseReID.extract`."""
        _, feature = self.neck(self.backbone(inputs))
        return feature
