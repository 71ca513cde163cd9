"""Rows of data lists, and what can be wrong with a set of them."""

from collections import defaultdict
from collections.abc import Sequence

from mmvireid.errors import InvalidValueError, MissingFileError
from mmvireid.structures import MODALITIES

from .image_tree import ImageTree, brief_list


def image_row(name: str, person_id: int, camera_id: int, modality: str) -> dict:
    """One row of a data list, without what the base class adds (path and label)."""
    return {'name': name, 'person_id': person_id, 'camera_id': camera_id, 'modality': modality}


def camera_rows(
    tree: ImageTree, folder: str, ids: Sequence[int], camera_id: int, modality: str
) -> list[dict]:
    """Rows of a camera's images, which lie in one folder per identity with a 4-digit name.

    Args:
        tree: Files below the data root.
        folder: The camera's folder; it exists.
        ids: Identities to take; those that this camera did not see have no folder.
        camera_id: The camera's number.
        modality: The camera's modality.
    """
    seen = [(i, f'{folder}/{i:04d}') for i in ids if tree.has_folder(f'{folder}/{i:04d}')]
    return [
        image_row(name, person_id, camera_id, modality)
        for person_id, identity_folder in seen
        for name in tree.images(identity_folder)
    ]


def check_ids_seen(tree: ImageTree, ids: Sequence[int], rows: Sequence[dict]) -> None:
    """It is a problem if an identity of the index file has no image in any camera's folder."""
    unseen = sorted(set(ids) - {row['person_id'] for row in rows})
    if unseen:
        tree.on_problem(
            MissingFileError(
                f'{len(unseen)} identities have no image below {tree.root}: '
                f'{brief_list([f"{person_id:04d}" for person_id in unseen])}.'
            )
        )


def check_training_labels(tree: ImageTree, rows: Sequence[dict]) -> None:
    """It is a problem if the labels of training index files are not 0 .. C-1."""
    labels = {row['person_id'] for row in rows}
    missing = sorted(set(range(max(labels, default=-1) + 1)) - labels)
    if missing:
        tree.on_problem(
            InvalidValueError(
                f'Training labels below {tree.root} are {len(labels)} different ones up to '
                f'{max(labels)}, expected all of 0 to {max(labels)}: {brief_list(missing)} '
                'missing. Are the index files complete?'
            )
        )


def unpaired_ids(rows: Sequence[dict]) -> dict[int, str]:
    """Identities of which one modality only is there.

    Args:
        rows: Rows of a data list.

    Returns:
        The only modality of each such identity, by ascending identity.

    Example:
        >>> unpaired_ids([image_row('cam3/0006/0001.jpg', 6, 3, 'infrared')])
        {6: 'infrared'}
    """
    modalities = defaultdict(set)
    for row in rows:
        modalities[row['person_id']].add(row['modality'])
    return {
        person_id: next(iter(found))
        for person_id, found in sorted(modalities.items())
        if len(found) < len(MODALITIES)
    }
