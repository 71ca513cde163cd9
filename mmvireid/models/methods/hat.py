"""HAT: visible images seen once more in grey, and a ranking that goes round."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from mmvireid.models.batches import view_rows
from mmvireid.registry import MODELS
from mmvireid.structures import ReIDDataSample

from .agw import AGW


@MODELS.register_module()
class HAT(AGW):
    """HAT, homogeneous augmented tri-modal learning (Ye et al., TIFS 2021).

    One iteration:

    1. see every visible image V in grey, too: G (``data_preprocessor.views``)  -> 3PK images
    2. embed V, G and I by one network, pool and normalise     -> embedding, feature (3PK, D)
    3. identity term on the classified features, one classifier for all three
    4. triplet term on the embeddings, from each of V, I and G to the next: the farthest image of
       the same identity there shall be closer than the nearest of another one in the third
    5. invariance term: the embeddings of an image and of its grey are equal (mean square)

    Test: the feature after the BN-neck, cosine similarity; V and I alone.

    No code of the authors is known, and the paper was not read: ``configs/hat/README.md`` says
    which of this is a choice.

    Args:
        circle: The views in the order of step 4; the first and the last are of the same images.
        **kwargs: As in :class:`AGW`; ``triplet_loss`` is the config of a loss on (embeddings and
            labels of the views, in that order), and ``loss_weights`` has ``invariance`` too.

    Raises:
        ValueError: If a view is missing, or the first and the last are not of one modality.
    """

    def __init__(self, circle: Sequence[str] = ('visible', 'infrared', 'grey'), **kwargs) -> None:
        super().__init__(**kwargs)
        self.circle = tuple(circle)
        self.check_views('circle', self.circle)
        self.same_images = (self.circle[0], self.circle[-1])
        self.check_views('circle', self.same_images, one_modality=True)

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the terms ``identity``, ``triplet`` and ``invariance``.

        Raises:
            ValueError: If an identity is alone in the batch or lacks a modality.
        """
        labels, rows = self.gt_labels(data_samples), view_rows(data_samples)
        embedding, feature = self.neck(self.backbone(inputs))
        seen = [[values[rows[name]] for name in self.circle] for values in (embedding, labels)]
        terms = dict(
            identity=self.identity_loss(self.head(feature), labels),
            triplet=self.triplet_loss(*seen),
        )
        if self.wants('invariance'):
            colour, grey = (embedding[rows[name]] for name in self.same_images)
            terms['invariance'] = F.mse_loss(grey, colour)
        return terms
