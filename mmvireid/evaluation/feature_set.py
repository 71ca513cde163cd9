"""The features of a test split and what is known about each image."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np

from mmvireid.errors import InvalidValueError, MissingFileError
from mmvireid.storage import new_file
from mmvireid.structures import MODALITIES

#: Columns by what a row of a data list, or a sample, calls them.
COLUMNS = dict(
    person_ids='person_id', camera_ids='camera_id', modalities='modality', names='name',
    rooms='room',
)  # fmt: skip


@dataclass(frozen=True)
class FeatureSet:
    """Retrieval features with the metadata that the protocols work on; one row per image.

    Nothing here depends on the order of the rows: protocols sort by ``names``.

    Args:
        features: Retrieval features, finite, stored as float32, shape (N, D).
        person_ids: The data set's own identity numbers, integers, shape (N,).
        camera_ids: The data set's own camera numbers, integers, shape (N,).
        modalities: ``'visible'`` or ``'infrared'``, shape (N,).
        names: Paths relative to the data root, with ``/``; unique, shape (N,). Their sorted order
            is the file-name order that the protocols speak of.
        flip_features: Features of the mirrored images, shape (N, D), where they were extracted.
        rooms: Where each image was taken, any text, empty where that is unknown; shape (N,).
            ``None`` unless the data set tells.

    Raises:
        ValueError: If lengths differ, a feature is not finite (the image is named), a modality is
            unknown, an id is not an integer or a name occurs twice.

    Example:
        >>> feature_set = FeatureSet(np.eye(2), [6, 6], [1, 3], ['visible', 'infrared'],
        ...                          ['cam1/0006/0001.jpg', 'cam3/0006/0001.jpg'])
        >>> len(feature_set), feature_set.features.dtype.name
        (2, 'float32')
    """

    features: np.ndarray
    person_ids: np.ndarray
    camera_ids: np.ndarray
    modalities: np.ndarray
    names: np.ndarray
    flip_features: np.ndarray | None = None
    rooms: np.ndarray | None = None

    def __post_init__(self) -> None:
        for key, convert in _CONVERT.items():
            if (value := getattr(self, key)) is not None:
                object.__setattr__(self, key, convert(key, value))
        self._check_lengths()
        self._check_values()

    def __len__(self) -> int:
        return len(self.names)

    def _check_lengths(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and len(value) != len(self.names):
                raise InvalidValueError(
                    f'FeatureSet: `{field.name}` has {len(value)} rows, expected '
                    f'{len(self.names)}, the length of `names`.'
                )
        if self.flip_features is not None and self.flip_features.shape != self.features.shape:
            raise InvalidValueError(
                f'FeatureSet: `flip_features` has shape {self.flip_features.shape}, expected that '
                f'of `features`, {self.features.shape}.'
            )

    def _check_values(self) -> None:
        unknown = sorted(set(self.modalities.tolist()) - set(MODALITIES))
        if unknown:
            raise InvalidValueError(
                f'FeatureSet: `modalities` contains {unknown}, expected only {list(MODALITIES)}.'
            )
        names, counts = np.unique(self.names, return_counts=True)
        if (counts > 1).any():
            raise InvalidValueError(
                f'FeatureSet: `names` contains {names[counts > 1][0]!s} {counts.max()} times, '
                'expected every image once.'
            )
        for key in ('features', 'flip_features'):
            value = getattr(self, key)
            if value is not None and not np.isfinite(value).all():
                bad = self.names[~np.isfinite(value).all(axis=1)]
                raise InvalidValueError(
                    f'FeatureSet: `{key}` is NaN or infinite for {len(bad)} of {len(self)} images, '
                    f'first {bad[0]!s}; expected finite values. Look for a diverged training or '
                    'an overflow in half precision.'
                )

    @classmethod
    def from_rows(cls, rows: Sequence, features: np.ndarray, **others: np.ndarray) -> Self:
        """The features of images that rows or samples describe.

        Args:
            rows: N mappings or ``ReIDDataSample``, with ``person_id``, ``camera_id``,
                ``modality``, ``name`` and, in some data sets, ``room``.
            features: Shape (N, D).
            **others: ``flip_features``, shape (N, D).
        """
        columns = {
            column: np.array([row.get(key, '') for row in rows])
            for column, key in COLUMNS.items()
            if any(key in row for row in rows)
        }
        return cls(features=features, **columns, **others)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an ``.npz`` file written by :meth:`save` or by anyone else.

        Args:
            path: File with the arrays ``features``, ``person_ids``, ``camera_ids``,
                ``modalities``, ``names`` and, optionally, ``flip_features`` and ``rooms``. Pickled
                (object) arrays are refused.

        Returns:
            The checked feature set.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is no ``.npz`` file, an array is missing or the content is wrong.
        """
        if not Path(path).is_file():
            raise MissingFileError(f'FeatureSet.load: `path` is {path}, which is not a file.')
        keys = [field.name for field in fields(cls)]
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in keys if key in archive.files}
        except (ValueError, OSError, AttributeError, TypeError, zipfile.BadZipFile) as error:
            raise InvalidValueError(
                f'FeatureSet.load: `path` is {path}, expected an .npz file of plain arrays '
                f'({", ".join(keys)}). This one cannot be read: it is of another kind, cut short, '
                'or holds pickled objects, which could run code and are refused.'
            ) from error
        needed = [field.name for field in fields(cls) if field.default is MISSING]
        missing = [key for key in needed if key not in arrays]
        if missing:
            raise InvalidValueError(
                f'FeatureSet.load: {path} lacks {", ".join(missing)}, expected the arrays '
                f'{", ".join(needed)}.'
            )
        return cls(**arrays)

    @staticmethod
    def load_source(path: str | Path) -> dict:
        """What a file says about where its features come from, see :meth:`save`.

        Args:
            path: A file that :meth:`load` reads.

        Returns:
            Plain values by name; empty if it says nothing.
        """
        with np.load(path, allow_pickle=False) as archive, suppress(ValueError, TypeError):
            return dict(json.loads(str(archive['source']))) if 'source' in archive.files else {}
        return {}

    def save(self, path: str | Path, source: Mapping | None = None) -> None:
        """Write an ``.npz`` file, creating its folder.

        Args:
            path: Where to; ``.npz`` is appended where it is missing.
            source: What else is known, plain values by name: data set, split, trial, checkpoint.
        """
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        if source:
            arrays['source'] = np.array(json.dumps(source, default=str))
        with new_file(npz_path(path)) as draft:
            np.savez(draft, **{key: value for key, value in arrays.items() if value is not None})


def describe_source(source: Mapping | None) -> str:
    """Data set, split and trial in a few words; empty if nothing is known.

    Example:
        >>> describe_source(dict(dataset='regdb', split='test', trial=3, num_ids=206))
        'regdb, test, trial 3'
    """
    labels = dict(dataset='', split='', trial='trial ')
    found = {key: (source or {}).get(key) for key in labels}
    return ', '.join(f'{labels[key]}{found[key]}' for key in labels if found[key] is not None)


def npz_path(path: str | Path) -> Path:
    """Where :meth:`FeatureSet.save` writes."""
    return Path(path) if str(path).endswith('.npz') else Path(f'{path}.npz')


def _strings(key: str, value: np.ndarray) -> np.ndarray:
    return _vector(key, np.asarray(value)).astype(str)


def _integers(key: str, value: np.ndarray) -> np.ndarray:
    value = _vector(key, np.asarray(value))
    if value.dtype.kind not in 'iu':
        raise InvalidValueError(f'FeatureSet: `{key}` has dtype {value.dtype}, expected integers.')
    return value.astype(np.int64)


def _vector(key: str, value: np.ndarray) -> np.ndarray:
    if value.ndim != 1 or not value.size:
        raise InvalidValueError(
            f'FeatureSet: `{key}` has shape {value.shape}, expected (N,) with N > 0.'
        )
    return value


def _matrix(key: str, value: np.ndarray) -> np.ndarray:
    value = np.asarray(value)
    if value.ndim != 2 or value.dtype.kind not in 'iuf':
        raise InvalidValueError(
            f'FeatureSet: `{key}` has shape {value.shape} and dtype {value.dtype}, '
            'expected real numbers of shape (N, D).'
        )
    with np.errstate(over='ignore', under='ignore'):  # what does not fit is found by its value
        converted = np.ascontiguousarray(value, dtype=np.float32)
    largest = np.maximum(converted.max(axis=1, initial=0), -converted.min(axis=1, initial=0))
    vanished = largest < np.finfo(np.float32).tiny
    if vanished.any() and (vanished := vanished & (value != 0).any(axis=1)).any():
        raise InvalidValueError(
            f'FeatureSet: `{key}` is too small for float32 in {vanished.sum()} rows, first row '
            f'{vanished.argmax()}, expected values of 1e-37 or more: scale all features alike.'
        )
    return converted


_CONVERT = {
    'names': _strings,
    'modalities': _strings,
    'person_ids': _integers,
    'camera_ids': _integers,
    'features': _matrix,
    'flip_features': _matrix,
    'rooms': _strings,
}
