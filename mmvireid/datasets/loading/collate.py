"""From single images to a batch."""

from collections.abc import Sequence

from torch.utils.data import default_collate

from mmvireid.errors import InvalidValueError
from mmvireid.registry import FUNCTIONS


@FUNCTIONS.register_module()
def reid_collate(items: Sequence[dict]) -> dict:
    """Stack images into one tensor, in the worker, and list their data samples.

    MMEngine looks functions up in its own registry only: a config names this one with its scope,
    ``collate_fn=dict(type='mmvireid.reid_collate')``.

    Args:
        items: N outputs of :class:`PackReIDInputs`, images of equal size.

    Returns:
        ``inputs``, uint8 BGR, shape (N, 3, H, W), and ``data_samples``, a list of N.

    Raises:
        ValueError: If items have other keys, which would be lost.
    """
    lost = sorted({key for item in items for key in item} - {'inputs', 'data_samples'})
    if lost:
        raise InvalidValueError(
            f'reid_collate: the pipeline gives {lost} too, expected `inputs` and `data_samples` '
            'alone, or a `collate_fn` of the data loader that knows what to do with the others.'
        )
    # torch's function stacks into shared memory when it runs in a worker: one copy less.
    inputs = default_collate([item['inputs'] for item in items])
    return {'inputs': inputs, 'data_samples': [item['data_samples'] for item in items]}
