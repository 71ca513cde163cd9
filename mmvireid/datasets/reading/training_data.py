"""Whether images may test a model, by what its checkpoint knows about its training data."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.dataset import BaseDataset

from mmvireid.datasets.reading.image_tree import brief_list
from mmvireid.errors import InvalidValueError


def check_trained_on(
    dataset: BaseDataset, trained_on: Mapping | None, source: str, key: str = 'test_dataloader'
) -> None:
    """Make sure that images contradict nothing that a model was trained on.

    A data set names in ``must_agree`` what of its metainfo has to be that of the training data, and
    in ``parts_of`` whom a split shows. Of a model that was trained on several data sets, and of
    joined images, each is compared with the one that it fits best.

    ``trained_elsewhere=True`` says that any difference is meant. Where it names data sets, such as
    ``['sysu_mm01', 'llcm']``, the model may have been trained on these and no others, on people
    whom the images do not show, and on images of the same size.

    Args:
        dataset: The images; a data set without ``must_agree`` passes.
        trained_on: Metainfo of the training data, as a checkpoint keeps it under
            ``meta.dataset_meta``. What it does not have cannot be compared.
        source: Whose it is, for the message.
        key: The loader of the images in the config, for the message.

    Raises:
        ValueError: If something differs, or people who were trained on are shown.
    """
    elsewhere = getattr(dataset, 'trained_elsewhere', True)
    if not trained_on or elsewhere is True:
        return
    dataset.full_init()
    trained = trained_on.get('parts', [trained_on])
    if elsewhere:
        differences = [*_differences_elsewhere(dataset, trained, elsewhere)]
        remedy = 'Test another checkpoint'
    else:
        differences = [
            d for part in members_of(dataset) for d in _fewest_differences(part, trained)
        ]
        remedy = 'Set these keys'
    if differences:
        raise InvalidValueError(
            f'check_trained_on: `{key}.dataset` has {"; ".join(dict.fromkeys(differences))}, '
            f'expected what {source} was trained on: figures on other data, or on people who were '
            f'trained on, mean something else. {remedy}, or `{key}.dataset.trained_elsewhere=True` '
            'if this is meant.'
        )


def members_of(dataset: BaseDataset) -> Sequence[BaseDataset]:
    """The data sets that a joined one is made of, or the one that it is."""
    return getattr(dataset, 'parts', [dataset])


def shares_people(dataset: BaseDataset, others: Mapping) -> bool:
    """Whether people of a data set may be among those of other images.

    Args:
        dataset: A data set whose rows are loaded.
        others: Metainfo of the other images.
    """
    ours, made_by = dataset.metainfo, getattr(dataset, 'people_made_by', None)
    is_same = ours.get('dataset') == others.get('dataset', ours.get('dataset'))
    if made_by is not None and ours.get(made_by) != others.get(made_by):
        return False
    if made_by is not None and not is_same:
        return True
    splits = (str(info.get('split')).removesuffix('/heldout') for info in (ours, others))
    return is_same and bool(set.intersection(*({*dataset.parts_of(split)} for split in splits)))


def _fewest_differences(dataset: BaseDataset, trained: Sequence[Mapping]) -> list[str]:
    """What differs from that part of the training data from which least does."""
    dataset_name = dataset.metainfo.get('dataset')
    same = [part for part in trained if part.get('dataset', dataset_name) == dataset_name]
    if not same:
        names = ' + '.join(str(part['dataset']) for part in trained)
        return [f'`dataset` {dataset_name!r}, not {names!r}']  # what else differs means nothing
    return min(([*_differences(dataset, part)] for part in same), key=len)


def _differences(dataset: BaseDataset, trained_on: Mapping) -> Iterator[str]:
    yield from _disagreements(dataset, trained_on, dataset.must_agree)
    if not shares_people(dataset, trained_on):
        return
    metainfo = dataset.metainfo
    if dataset.heldout:
        seen = {*metainfo.get('heldout_ids', ())} - {*trained_on.get('heldout_ids', ())}
        if seen:
            yield (
                f'held-out people {brief_list(sorted(seen))}, who were not held out of the '
                'training data'
            )
    else:
        yield (
            f'`split` {metainfo["split"]!r}, whose people are in {trained_on.get("split")!r} too'
        )


def _differences_elsewhere(
    dataset: BaseDataset, trained: Sequence[Mapping], names: Sequence[str]
) -> Iterator[str]:
    found = [str(part.get('dataset')) for part in trained]
    if {*found} - {*names}:
        yield f'`trained_elsewhere` {[*names]}, not {found}'
        return
    for part in members_of(dataset):
        for other in trained:
            yield from _disagreements(part, other, ['image_size'])
            if shares_people(part, other):
                yield (
                    f'`split` {part.metainfo["split"]!r} of {part.metainfo["dataset"]}, whose '
                    f'people are in {other.get("split")!r} of {other.get("dataset")} too'
                )


def _disagreements(dataset: BaseDataset, trained_on: Mapping, keys: Sequence[str]) -> Iterator[str]:
    for key in keys:
        ours, theirs = (_plain(info.get(key)) for info in (dataset.metainfo, trained_on))
        if ours != theirs and key in trained_on:
            yield f'`{key}` {ours!r}, not {theirs!r}'


def _plain(value: Any) -> Any:
    """A tuple is a list once it was in a file."""
    return list(value) if isinstance(value, tuple) else value
