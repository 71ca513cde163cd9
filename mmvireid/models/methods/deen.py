"""DEEN: several embeddings of every image."""

import torch
from torch import Tensor

from mmvireid.distances import unit_rows
from mmvireid.errors import InvalidValueError
from mmvireid.registry import MODELS
from mmvireid.structures import VISIBLE, ReIDDataSample

from .agw import AGW


@MODELS.register_module()
class DEEN(AGW):
    """DEEN (Zhang and Wang, CVPR 2023), on AGW's network.

    One iteration:

    1. embed both modalities; each stage's output attends to what it began with (MFA,
       ``FeatureAggregationPlugin``)
    2. before the last stage make B - 1 further maps of each (DEE, ``EmbeddingExpansionPlugin``)
                                                        -> feature map (2PKB, C, h, w)
    3. pool, normalise, classify; identity and triplet term on all of them
    4. center term: between the images' embeddings and those of each branch, summed (CPM)
    5. orthogonality term: between the branches of an image

    Which plug-ins there are, ``backbone`` says; without an expansion B is 1.

    Test: the images', and each branch's, embedding and feature, each of length one, in a row: the
    cosine of two rows is the mean of 2B cosines. The release adds these up.

    Args:
        center_loss: Config of the loss on (embeddings, embeddings of a branch, labels, number of
            visible images).
        orthogonality_loss: Config of the loss on the embeddings of the images and of each branch.
        **kwargs: As in :class:`AGW`; ``loss_weights`` has ``center`` and ``orthogonality`` too.

    Raises:
        ValueError: If a loss and its weight do not come together.
    """

    pair_terms = ('triplet', 'center')

    def __init__(
        self,
        center_loss: dict | None = None,
        orthogonality_loss: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        own = dict(center=center_loss, orthogonality=orthogonality_loss)
        for term, cfg in own.items():
            self.check_needed_by(term, **{f'{term}_loss': cfg})
        self.add_losses({term: cfg for term, cfg in own.items() if cfg is not None})

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms ``identity``, ``triplet``, ``center`` and ``orthogonality``.

        Raises:
            ValueError: If an identity is alone in the batch or lacks a modality, or a term has no
                branches to compare.
        """
        labels, num_visible = self.gt_labels(data_samples), len(inputs[VISIBLE])
        embedding, feature = self.neck(self.backbone(inputs))
        embeddings = self.by_branch(embedding, len(labels))
        all_labels = labels.repeat(len(embeddings))
        terms = dict(
            identity=self.identity_loss(self.head(feature), all_labels),
            triplet=self.triplet_loss(embedding, all_labels),
        )
        own, *branches = embeddings
        self._check_branches(len(branches))
        if 'center' in self.losses:
            terms['center'] = sum(
                self.losses['center'](own, branch, labels, num_visible) for branch in branches
            )
        if 'orthogonality' in self.losses:
            terms['orthogonality'] = self.losses['orthogonality'](embeddings)
        return terms

    @staticmethod
    def by_branch(rows: Tensor, num_images: int) -> tuple[Tensor, ...]:
        """Rows of all branches, one after the other, (BN, D), as B of (N, D)."""
        # no split: an exported network would keep the number of images
        return rows.unflatten(0, (len(rows) // num_images, -1)).unbind()

    def _check_branches(self, found: int) -> None:
        for term, least in dict(center=1, orthogonality=2).items():
            if term in self.losses and found < least:
                raise InvalidValueError(
                    f'DEEN: `loss_weights.{term}` is {self.loss_weights[term]} with {found} '
                    f'branches, expected at least {least}: an EmbeddingExpansionPlugin in '
                    '`backbone.plugins`, or no such weight.'
                )

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Unit embeddings and features of all branches in a row (N, 2BD)."""
        num_images = sum(map(len, inputs.values()))
        pair = self.neck(self.backbone(inputs))
        parts = [part for rows in pair for part in self.by_branch(rows, num_images)]
        return torch.cat([unit_rows(part) for part in parts], dim=1)
