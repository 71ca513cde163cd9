"""How often a classifier of identities is right."""

from collections.abc import Sequence

from mmengine.evaluator import BaseMetric

from mmvireid.registry import METRICS


@METRICS.register_module()
class IdentityAccuracy(BaseMetric):
    """Share of images whose predicted label is the true one, in percent.

    The result's key is ``identities/accuracy``. It needs a data set with labels and a model that
    predicts them (``pred_label`` of :class:`~mmvireid.structures.ReIDDataSample`).

    Args:
        collect_device: ``'cpu'`` or ``'gpu'``, for collecting from several processes.
        prefix: Stands before the key, in the place of ``identities``.
        collect_dir: Folder for collecting on ``'cpu'``.

    Example:
        >>> metric = IdentityAccuracy()
        >>> metric.process(None, [dict(gt_label=0, pred_label=0), dict(gt_label=1, pred_label=2)])
        >>> metric.evaluate(size=2)
        {'identities/accuracy': 50.0}
    """

    default_prefix = 'identities'

    def result_keys(self, flip: bool = False) -> list[str]:
        """The key of the result."""
        return [f'{self.prefix}/accuracy']

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keep whether the prediction is right, one entry per image."""
        self.results += [sample['pred_label'] == sample['gt_label'] for sample in data_samples]

    def compute_metrics(self, results: list[bool]) -> dict[str, float]:
        """The share of right entries."""
        return dict(accuracy=100 * sum(results) / len(results))
