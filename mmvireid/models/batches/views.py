"""Views of the drawn images in a batch: where they stand, and one more."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmvireid.errors import UnknownNameError
from mmvireid.structures import ReIDDataSample


def view_rows(data_samples: Sequence[ReIDDataSample]) -> dict[str, slice]:
    """Which rows of a batch belong to each view.

    Args:
        data_samples: The samples of a training batch (or block), in the order of its rows. A view
            that was not named is called after its modality.

    Returns:
        Rows by name of the view, in their order; rows of two views of a modality correspond.

    Example:
        >>> names = ['visible', 'visible', 'infrared']
        >>> view_rows([ReIDDataSample(modality=name) for name in names])
        {'visible': slice(0, 2, None), 'infrared': slice(2, 3, None)}
    """
    names = [sample.get('view') or sample.modality for sample in data_samples]
    starts = {name: names.index(name) for name in dict.fromkeys(names)}
    return {name: slice(start, start + names.count(name)) for name, start in starts.items()}


def with_view(
    inputs: dict[str, Tensor],
    data_samples: Sequence[ReIDDataSample],
    name: str,
    images: Tensor,
    of: str,
) -> tuple[dict[str, Tensor], list[ReIDDataSample]]:
    """A batch with one more view, made by the method itself (a generator, a mix).

    Args:
        inputs: Normalised images per modality, (N, 3, H, W).
        data_samples: The samples in the same order.
        name: What the new view is called.
        images: The new view of every image of another one, row by row, shape (N, 3, H, W).
        of: That other view. The new one stands behind all views of its modality.

    Returns:
        Inputs per modality (N, 3, H, W) and samples of the larger batch; the old ones stay as they
        are.

    Raises:
        KeyError: If there is no such view.
    """
    rows = view_rows(data_samples)
    if of not in rows:
        raise UnknownNameError(f'with_view: `of` is {of!r}, expected one of the views {[*rows]}.')
    added = [sample.new() for sample in data_samples[rows[of]]]
    for sample in added:
        sample.set_metainfo(dict(view=name))
    samples, larger, start = [], {}, 0
    for modality, own in inputs.items():
        samples += data_samples[start : start + len(own)]
        start += len(own)
        larger[modality] = own
        if modality == added[0].modality:
            larger[modality] = torch.cat([own, images])
            samples += added
    return larger, samples
