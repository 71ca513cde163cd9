"""Rows of data lists, and what can be wrong with a set of them."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from mmvireid.datasets.reading.image_tree import ImageTree, brief_list
from mmvireid.errors import InvalidValueError, MissingFileError
from mmvireid.structures import MODALITIES


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


def check_rows(owner: str, tree: ImageTree, rows: Sequence[dict], mixed_cameras: bool) -> None:
    """Make sure that a data list is what everything behind it takes it for.

    A folder is looked up once, not every file: 100,000 rows take less than a second.

    Args:
        owner: The data set's class, for the message.
        tree: Files below the data root.
        rows: As :func:`image_row` makes them.
        mixed_cameras: Whether one camera may record both modalities.

    Raises:
        ValueError: If a row lacks a key or has a value of another kind, an image comes twice, or a
            camera has two modalities and may not; names the first such rows.
        FileNotFoundError: If images do not exist.
    """
    check_values(owner, rows)
    missing = [row['name'] for row in rows if not tree.has_image(row['name'])]
    if missing:
        raise MissingFileError(
            f'{owner}: {len(missing)} of {len(rows)} images do not exist below {tree.root}, or are '
            f'no image files: {brief_list(missing)}.'
        )
    if not mixed_cameras:
        modalities = defaultdict(set)
        for row in rows:
            modalities[row['camera_id']].add(row['modality'])
        mixed = sorted(camera for camera, found in modalities.items() if len(found) > 1)
        if mixed:
            raise InvalidValueError(
                f'{owner}: the cameras {brief_list(mixed)} have images of both modalities, '
                'expected one each; `mixed_cameras = True` in the class says that this is meant.'
            )


def check_values(owner: str, rows: Sequence[dict]) -> None:
    """Make sure that rows tell what they should, wherever their images are.

    Args:
        owner: Whose they are, for the message.
        rows: With the keys of :func:`image_row`.

    Raises:
        ValueError: If a row lacks a key or has a value of another kind, or an image comes twice.
    """
    for key, (fits, expected) in ROW_KEYS.items():
        wrong = [row for row in rows if not fits(row.get(key))]
        if wrong:
            shown = ', '.join(f'{row.get(key)!r} ({row.get("name")})' for row in wrong[:3])
            raise InvalidValueError(
                f'{owner}: `{key}` of {len(wrong)} of {len(rows)} rows is not {expected}: {shown}.'
            )
    counts = Counter(row['name'] for row in rows)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise InvalidValueError(
            f'{owner}: {len(twice)} images stand in several rows: {brief_list(twice)}, expected '
            'one row each.'
        )


def _is_number(value: object) -> bool:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and -(2**63) <= value < 2**63


#: What the values of a row have to be.
ROW_KEYS = {
    'name': (lambda value: isinstance(value, str) and value, 'a path relative to the data root'),
    'person_id': (_is_number, 'a whole number of 64 bits'),
    'camera_id': (_is_number, 'a whole number of 64 bits'),
    'modality': (lambda value: value in MODALITIES, f'one of {MODALITIES}'),
}
