"""A network of horizontal stripes, for the methods that are made of them."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.models.base import BaseReID
from mmvireid.registry import MODELS
from mmvireid.structures import VISIBLE, ReIDDataSample


@MODELS.register_module()
class StripedReID(BaseReID):
    """Each stripe of the feature map is classified and compared by itself.

    One iteration:

    1. embed both modalities                                  -> feature map (2PK, C, h, w)
    2. cut it into stripes, pool, reduce and normalise each   -> embeddings, features (2PK, D)
    3. classify each part's features by its own head          -> logits (2PK, num_ids)
    4. the terms, each the *sum* over the stripes: ``identity`` on the logits, ``triplet`` and
       ``center`` on the embeddings; ``whole_identity``, ``whole_triplet`` and ``whole_center`` are
       those of the whole map, if the neck has it as a part; ``joint_center`` is on the stripes'
       embeddings in a row

    Which of them there are, ``loss_weights`` say.

    Test: the features of all parts in a row, cosine similarity.

    The base of RLE is this with three stripes and the whole map; TSLFN+HC, HCT and PCB-like
    controls are this with six stripes.

    Args:
        backbone: Config of the network.
        neck: Config of the stripe neck; ``in_channels`` is taken from the backbone.
        head: Config of the classifiers; their sizes and number are taken from the neck.
        identity_loss: Config of the loss on (logits, labels).
        triplet_loss: Config of the loss on (embeddings, labels), or ``None``.
        center_loss: Config of the loss on (embeddings, labels, number of visible images), or
            ``None``.
        loss_weights: Weights of the terms.
        unit_parts: Whether the features are L2-normalised before they are put in a row, so that
            all parts count alike.
        **kwargs: As in :class:`BaseReID`.

    Raises:
        ValueError: If a term has a weight and its loss or its part is missing.
    """

    pair_terms = ('triplet', 'center', 'whole_triplet', 'whole_center', 'joint_center')

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        identity_loss: dict,
        loss_weights: dict[str, float | None],
        triplet_loss: dict | None = None,
        center_loss: dict | None = None,
        unit_parts: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(loss_weights, **kwargs)
        channels = self.add_part('backbone', backbone).out_channels
        neck = self.add_part('neck', neck, in_channels=channels)
        self.add_part('head', head, in_channels=neck.out_channels, num_parts=neck.num_parts)
        losses = dict(identity=identity_loss, triplet=triplet_loss, center=center_loss)
        self.add_losses({kind: cfg for kind, cfg in losses.items() if cfg is not None})
        self.unit_parts = unit_parts
        for term in filter(self._counts, self.loss_weights):
            kind = term.removeprefix('joint_').removeprefix('whole_')
            if kind in losses and kind not in self.losses:
                raise InvalidValueError(
                    f'StripedReID: `{kind}_loss` is None with a weight for {term!r}, expected a '
                    'loss, or no such weight.'
                )
            if term.startswith('whole_') and not neck.whole:
                raise InvalidValueError(
                    f'StripedReID: `neck.whole` is False with a weight for {term!r}, expected '
                    'True, or no such weight.'
                )

    def _counts(self, term: str) -> bool:
        return term in self.loss_weights and self.wants(term)

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms that have a weight, see :meth:`BaseReID.loss`.

        Raises:
            ValueError: If the stripes do not divide the map; where a term compares images, if an
                identity is alone in the batch or lacks a modality.
        """
        labels, num_visible = self.gt_labels(data_samples), len(inputs[VISIBLE])
        embeddings, features = self.neck(self.backbone(inputs))
        logits = self.head(features)
        values = dict(
            identity=lambda part: self.losses['identity'](logits[part], labels),
            triplet=lambda part: self.losses['triplet'](embeddings[part], labels),
            center=lambda part: self.losses['center'](embeddings[part], labels, num_visible),
        )
        terms, whole = {}, self.neck.num_stripes
        for kind, value in values.items():
            if self._counts(kind):
                terms[kind] = sum(map(value, range(whole)))
            if self._counts(f'whole_{kind}'):
                terms[f'whole_{kind}'] = value(whole)
        if self._counts('joint_center'):
            joint = torch.cat(embeddings[:whole], dim=1)
            terms['joint_center'] = self.losses['center'](joint, labels, num_visible)
        return terms

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Features of all parts in a row (N, D), see :meth:`BaseReID.extract`."""
        _, features = self.neck(self.backbone(inputs))
        if self.unit_parts:
            features = [F.normalize(feature, dim=1) for feature in features]
        return torch.cat(list(features), dim=1)
