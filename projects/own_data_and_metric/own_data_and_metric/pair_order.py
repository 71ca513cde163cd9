"""A metric of one's own that is no retrieval."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric

from mmvireid.registry import METRICS
from mmvireid.structures import VISIBLE


@METRICS.register_module()
class PairOrder(BaseMetric):
    r"""How often a pair of one person is more similar than a pair of two: the area under the ROC.

    .. math::
        100 \, P(s^+ > s^-)

    over all pairs of a visible and an infrared image, by the cosine; in percent, 50 is chance.
    """

    default_prefix = 'pairs'

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        keys = ('feature', 'person_id', 'modality')
        self.results += [tuple(sample[key] for key in keys) for sample in data_samples]

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        features, ids, modalities = zip(*results)
        features = torch.nn.functional.normalize(torch.stack(features).float().cpu(), dim=1)
        ids, visible = np.array(ids), np.array(modalities) == VISIBLE
        similarity = (features[visible] @ features[~visible].T).numpy().ravel()
        same = (ids[visible][:, None] == ids[~visible]).ravel()
        wrong = np.searchsorted(np.sort(similarity[~same]), similarity[same])
        return dict(order=100 * float(np.mean(wrong / np.count_nonzero(~same))))
