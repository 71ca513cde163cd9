"""MSO: edges in the single-modality space, centres in the common one."""

import torch
from torch import Tensor

from mmvireid.registry import MODELS
from mmvireid.structures import VISIBLE, ReIDDataSample

from .agw import AGW


@MODELS.register_module()
class MSO(AGW):
    r"""MSO (Gao et al., ACM MM 2021), on AGW's network.

    One iteration (symbols of the paper in brackets):

    1. embed each modality by its own stem                        [f, Eq. 1]
    2. find the edges of the images                               [e, Fig. 3]
    3. edge term: stem maps shall look like edges to a VGG-16     [L_pef, Eqs. 2, 3]
    4. shared trunk, pool, normalise                              -> embedding, feature [g]
    5. identity term on the classified features                   [L_id, Eq. 7]
    6. triplet term on the embeddings                             [L_wrt, Eqs. 8, 9]
    7. center term on the features: centres of one identity
       attract, those of two repel                                [L_cmcc, Eqs. 4, 5]

    Test: the feature after the BN-neck, cosine similarity; steps 1 and 4 alone.

    A ``fusion`` puts the edges between steps 2 and 4 into the stem maps, at test time too: the
    rivals of the edge term in Table 4.

    What the paper leaves open: ``configs/mso/README.md``.

    Args:
        edges: Config of the module that finds edges.
        edge_loss: Config of the loss on (stem maps, edges); not built where the term ``edge`` has
            weight 0.
        center_loss: Config of the loss on (features, labels, number of visible images); not built
            where the term ``center`` has weight 0.
        fusion: Config of a module (stem maps, edges) -> stem maps, or ``None``.
        **kwargs: As in :class:`AGW`; ``loss_weights`` has ``edge`` and ``center`` too.
    """

    pair_terms = ('triplet', 'center')
    diagnostics = tuple(f'edge_block{block}' for block in range(1, 5))

    def __init__(
        self,
        edges: dict,
        edge_loss: dict,
        center_loss: dict,
        fusion: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.edges = MODELS.build(edges)
        self.fusion = None if fusion is None else MODELS.build(fusion)
        if self.wants('edge'):
            layout = dict(channels_last=self.memory_format is torch.channels_last)
            self.edge_loss = MODELS.build(edge_loss | layout)
        if self.wants('center'):
            self.center_loss = MODELS.build(center_loss)

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms ``identity``, ``triplet``, ``edge`` and ``center``.

        Raises:
            ValueError: If an identity is alone in the batch or lacks a modality.
        """
        labels = self.gt_labels(data_samples)
        stem_maps = self.backbone.embed_stems(inputs)
        embedding, feature = self.embed(inputs, stem_maps, data_samples)
        terms = dict(
            identity=self.identity_loss(self.head(feature), labels),
            triplet=self.triplet_loss(embedding, labels),
        )
        if self.wants('edge'):
            blocks = self.edge_loss(stem_maps, self.find_edges(inputs, data_samples))  # (4,)
            terms |= dict(zip(self.diagnostics, blocks), edge=blocks.sum())
        if self.wants('center'):
            terms['center'] = self.center_loss(feature, labels, len(inputs[VISIBLE]))
        return terms

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Features after the BN-neck (N, D), see :meth:`BaseReID.extract`."""
        return self.embed(inputs, self.backbone.embed_stems(inputs))[1]

    def embed(
        self,
        inputs: dict[str, Tensor],
        stem_maps: dict[str, Tensor],
        data_samples: list[ReIDDataSample] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """From stem maps (N, C, h, w), with edges if wanted, to embeddings and features (N, D)."""
        if self.fusion is not None:
            stem_maps = self.fusion(stem_maps, self.find_edges(inputs, data_samples))
        return self.neck(self.backbone(inputs, stem_maps))

    def find_edges(
        self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample] | None = None
    ) -> dict[str, Tensor]:
        """Edges of normalised images, per modality, (N, 1, H, W).

        Args:
            inputs: Normalised images per modality, (N, 3, H, W).
            data_samples: The samples in the same order, which know what is padding; ``None`` where
                nothing is.
        """
        mean, std = self.data_preprocessor.mean, self.data_preprocessor.std
        images = {key: (values * std + mean) / 255 for key, values in inputs.items()}
        boxes = dict.fromkeys(images)
        if data_samples is not None:
            height, width = next(iter(images.values())).shape[2:]
            found = [sample.get('picture_box', (0, 0, width, height)) for sample in data_samples]
            parts = torch.tensor(found).split([len(values) for values in images.values()])
            boxes = dict(zip(images, map(self.to_device, parts)))
        return {key: self.edges(values, boxes[key]) for key, values in images.items()}
