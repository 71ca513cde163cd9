"""Whether images may test a model, by what its checkpoint knows about its training data."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.dataset import BaseDataset

from mmvireid.datasets.reading.image_tree import brief_list
from mmvireid.errors import InvalidValueError


def check_trained_on(
    dataset: BaseDataset, trained_on: Mapping | None, source: str, key: str = 'test_dataloader'
) -> None:
    """Make sure that images contradict nothing that a model was trained on.

    A data set names in ``must_agree`` what of its metainfo has to be that of the training data, and
    in ``parts`` whom a split shows. ``trained_elsewhere=True`` says that a difference is meant.

    Args:
        dataset: The images; a data set without ``must_agree`` passes.
        trained_on: Metainfo of the training data, as a checkpoint keeps it under
            ``meta.dataset_meta``. What it does not have cannot be compared.
        source: Whose it is, for the message.
        key: The loader of the images in the config, for the message.

    Raises:
        ValueError: If something differs, or people who were trained on are shown.
    """
    if not trained_on or getattr(dataset, 'trained_elsewhere', True):
        return
    differences = [*_differences(dataset, trained_on)]
    if differences:
        raise InvalidValueError(
            f'check_trained_on: `{key}.dataset` has {"; ".join(differences)}, expected what '
            f'{source} was trained on: figures on other data, or on people who were trained on, '
            f'mean something else. Set these keys, or `{key}.dataset.trained_elsewhere=True` if '
            'this is meant.'
        )


def _differences(dataset: BaseDataset, trained_on: Mapping) -> Iterator[str]:
    dataset.full_init()
    metainfo = dataset.metainfo
    for key in dataset.must_agree:
        ours, theirs = (_plain(info.get(key)) for info in (metainfo, trained_on))
        if ours != theirs and key in trained_on:
            yield f'`{key}` {ours!r}, not {theirs!r}'
        if ours != theirs and key == 'dataset':
            return  # whatever else differs means nothing
    split, heldout = metainfo['split'].removesuffix('/heldout'), metainfo.get('heldout_ids', ())
    trained_split = str(trained_on.get('split'))
    shared = {*dataset.parts_of(split)} & {*dataset.parts_of(trained_split)}
    left_out = {*trained_on.get('heldout_ids', ())}
    if dataset.heldout and not {*heldout} <= left_out and shared:
        seen = sorted({*heldout} - left_out)
        yield f'held-out people {brief_list(seen)}, who were not held out of the training data'
    if shared and not dataset.heldout:
        yield f'`split` {split!r}, whose people are in {trained_split!r} too'


def _plain(value: Any) -> Any:
    """A tuple is a list once it was in a file."""
    return list(value) if isinstance(value, tuple) else value
