"""X-Modality: a third modality between the two, which a tiny network makes of visible images."""

import torch
from torch import Tensor

from mmvireid.errors import InvalidValueError
from mmvireid.models.batches import check_positives, view_rows, with_view
from mmvireid.registry import MODELS
from mmvireid.structures import INFRARED, MODALITIES, VISIBLE, ReIDDataSample

from .agw import AGW


@MODELS.register_module()
class XIV(AGW):
    """X-Modality (Li et al., AAAI 2020), "XIV" after its three modalities.

    One iteration:

    1. make an image of the modality X of every visible one V        -> 3PK images
    2. embed V, X and I by one network, pool and normalise           -> embedding, feature (3PK, D)
    3. identity term on the classified features, a mean for each of V, X and I
    4. triplet term on the embeddings, within each of V, X and I
    5. center term on the embeddings: an identity's centres in I and V, and in I and X, are closer
       to each other than to those of others

    Terms 3 to 5 are sums over these means. Nothing ties V and X but the generator.

    Test: the embedding *before* the BN-neck, cosine similarity. There is no X, and no generator.

    Args:
        generator: Config of the network from normalised visible images to X; ``None`` for V and I
            alone.
        center_loss: Config of the loss on (embeddings of two groups, labels, number of the first).
        **kwargs: As in :class:`AGW`; ``loss_weights`` has ``center`` too.

    Raises:
        ValueError: If there are further views of the drawn images.
    """

    pair_terms = ('triplet', 'center')

    def __init__(self, generator: dict | None, center_loss: dict, **kwargs) -> None:
        super().__init__(**kwargs)
        if {*self.views} != {*MODALITIES}:
            raise InvalidValueError(
                f'XIV: `data_preprocessor.views` are {self.views}, expected one of each modality, '
                f'called like it: {MODALITIES}. The third one is what `generator` makes.'
            )
        self.generator = self.add_part('generator', generator)
        self.center_loss = MODELS.build(center_loss)

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms ``identity``, ``triplet`` and ``center``.

        Raises:
            ValueError: If an identity is alone in the batch, lacks a modality, or has a single
                image of one.
        """
        if self.generator is not None:
            made = self.generator(inputs[VISIBLE])
            inputs, data_samples = with_view(inputs, data_samples, 'x', made, of=VISIBLE)
        labels, rows = self.cpu_labels(data_samples)[0], view_rows(data_samples)
        if self.wants('triplet'):
            for name, own in rows.items():
                check_positives(labels[own], name)
        labels = self.to_device(labels)
        embedding, feature = self.neck(self.backbone(inputs))
        logits = self.head(feature)
        groups = {name: (embedding[own], labels[own]) for name, own in rows.items()}
        terms = dict(
            identity=sum(self.identity_loss(logits[own], labels[own]) for own in rows.values()),
            triplet=sum(self.triplet_loss(*group) for group in groups.values()),
        )
        if self.wants('center'):
            infrared = groups.pop(INFRARED)
            terms['center'] = sum(self.compare(infrared, group) for group in groups.values())
        return terms

    def compare(self, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> Tensor:
        """The center term of two groups, a scalar.

        Args:
            first: Embeddings (N, D) and labels (N,) of the one.
            second: The same of the other, (N, D) and (N,).
        """
        embeddings, labels = (torch.cat(pair) for pair in zip(first, second))
        return self.center_loss(embeddings, labels, len(first[0]))

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Embeddings before the BN-neck (N, D), see :meth:`BaseReID.extract`."""
        return self.neck(self.backbone(inputs))[0]
