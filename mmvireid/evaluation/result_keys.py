"""What results will be called, while there is still time to mend a config."""

import difflib
from collections import Counter
from collections.abc import Sequence

from mmengine.evaluator import BaseMetric

from mmvireid.errors import InvalidValueError


def result_keys(metrics: Sequence[BaseMetric], flip: bool = False) -> list[list[str] | None]:
    """Keys of the results that metrics are going to give.

    A metric that can tell has a method ``result_keys(flip)``, as ``RetrievalMetric`` does.

    Args:
        metrics: Of an evaluator.
        flip: Whether the model gives features of the mirrored images, too.

    Returns:
        The keys of each metric, in their order; ``None`` of one that cannot tell.

    Raises:
        ValueError: If two results have one key: MMEngine would find out after the evaluation.
    """
    named = [
        metric.result_keys(flip) if hasattr(metric, 'result_keys') else None for metric in metrics
    ]
    counts = Counter(key for keys in named for key in keys or ())
    shared = [key for key, count in counts.items() if count > 1]
    if shared:
        raise InvalidValueError(
            f'result_keys: {len(shared)} results would have one name, such as {shared[0]!r}, '
            'expected a `prefix` of its own for each metric that gives them.'
        )
    return named


def check_result_key(key: str, named: Sequence[list[str] | None], setting: str) -> None:
    """Make sure that a result exists, as far as the metrics can tell.

    Args:
        key: What a setting names.
        named: From :func:`result_keys`.
        setting: The setting, for the message.

    Raises:
        ValueError: If no metric will give it; names the nearest.
    """
    known = [key for keys in named for key in keys or ()]
    if key in known or None in named:
        return
    by_lower = {name.lower(): name for name in known}
    nearest = difflib.get_close_matches(key.lower(), by_lower, n=3, cutoff=0)
    raise InvalidValueError(
        f'check_result_key: {setting} is {key!r}, expected a result of the validation, such as '
        f'{", ".join(repr(by_lower[name]) for name in nearest)}.'
    )
