"""Pre-training on visible pictures: who is it?"""

from collections.abc import Sequence

from torch import Tensor

from mmvireid.models.base import BaseReID
from mmvireid.models.necks import AveragePooling
from mmvireid.registry import MODELS
from mmvireid.structures import VISIBLE, ReIDDataSample


@MODELS.register_module()
class IdentityPretraining(BaseReID):
    """Identity classification of visible pictures, which gives other methods' networks a start.

    One iteration:

    1. map the pictures                 -> feature map (N, C, h, w)
    2. pool and classify                -> logits (N, num_ids)
    3. identity loss on the logits

    Test: the identity with the largest logit.

    What it takes the place of is classification of ImageNet, which published methods start from.

    Args:
        extractor: Config of the network that makes the map; of several maps the last one counts.
        head: Config of the identity head; ``in_channels`` is taken from the extractor.
        identity_loss: Config of the loss on (logits, labels).
        loss_weights: Weight of the term ``identity``.
        **kwargs: As in :class:`BaseReID`.
    """

    diagnostics = ('accuracy',)

    def __init__(
        self,
        extractor: dict,
        head: dict,
        identity_loss: dict,
        loss_weights: dict[str, float | None],
        **kwargs,
    ) -> None:
        super().__init__(loss_weights, **kwargs)
        channels = self.add_part('extractor', extractor).out_channels
        self.pooling = AveragePooling()
        self.add_part('head', head, in_channels=channels)
        self.identity_loss = MODELS.build(identity_loss)

    def loss(self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]) -> dict:
        """Compute the term ``identity``, and the share of right answers, ``accuracy``."""
        labels = self.gt_labels(data_samples)
        logits = self.head(self.extract(inputs))
        accuracy = (logits.argmax(1) == labels).float().mean()
        return dict(identity=self.identity_loss(logits, labels), accuracy=accuracy)

    def extract(self, inputs: dict[str, Tensor]) -> Tensor:
        """Pooled maps of visible images (N, C), see :meth:`BaseReID.extract`."""
        maps = self.extractor(inputs[VISIBLE])
        return self.pooling(maps[-1] if isinstance(maps, Sequence) else maps)

    def predict(
        self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]
    ) -> list[ReIDDataSample]:
        """Attach the predicted labels to the samples."""
        labels = self.head(self.extract(inputs)).argmax(1).tolist()
        for sample, label in zip(data_samples, labels):
            sample.pred_label = label
        return data_samples
