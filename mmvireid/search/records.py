"""What Milvus keeps of a picture, and how it is asked for some of them.

Nothing that users write becomes part of an expression: names are asked for by their digests,
filters are made of numbers and of words that are known.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

from mmvireid.errors import InvalidValueError
from mmvireid.evaluation import FeatureSet
from mmvireid.structures import MODALITIES

#: Stands for a time, and for a person, that nobody knows.
UNKNOWN = -1
#: What is kept beside key and feature.
FIELDS = ('name', 'digest', 'person_id', 'camera_id', 'modality', 'time')


@dataclass(frozen=True)
class Match:
    """A picture of the gallery that a search has found.

    Args:
        name: Its name, mostly a path.
        similarity: Cosine with the query, in [-1, 1].
        camera_id: Number of its camera.
        modality: ``'visible'`` or ``'infrared'``.
        time: Seconds since 1970 (UTC), -1 if unknown.
        person_id: Who is on it, -1 if unknown.
        digest: SHA-256 of the picture's file, empty if unknown.
    """

    name: str
    similarity: float
    camera_id: int
    modality: str
    time: int
    person_id: int
    digest: str


def file_digest(data: bytes) -> str:
    """SHA-256 of a file's bytes: whether it is still the picture that was added.

    Example:
        >>> file_digest(b'')[:12]
        'e3b0c44298fc'
    """
    return hashlib.sha256(data).hexdigest()


def picture_key(name: str) -> str:
    """A name as Milvus is asked for it: what users write never becomes part of an expression."""
    return file_digest(str(name).encode('utf-8', 'surrogatepass'))


def is_text(name: str) -> bool:
    """Whether a name is text in UTF-8; the name of a file may be any bytes.

    Example:
        >>> is_text('é.jpg'), is_text('\\udcff.jpg')
        (True, False)
    """
    return name == name.encode('utf-8', 'replace').decode('utf-8')


def picture_record(pictures: FeatureSet, row: int, time: int, digest: str) -> dict:
    """All that is kept of a row of a feature set."""
    name = str(pictures.names[row])
    if not is_text(name):
        raise InvalidValueError(
            f'Gallery.add: {name!r} is no text in UTF-8, expected names that are: rename the file.'
        )
    return dict(
        key=picture_key(name),
        name=name,
        digest=str(digest),
        modality=str(pictures.modalities[row]),
        person_id=int(pictures.person_ids[row]),
        camera_id=int(pictures.camera_ids[row]),
        time=int(time),
        feature=pictures.features[row],
    )


def to_match(hit: dict) -> Match:
    """A neighbour as Milvus gives it."""
    return Match(similarity=float(hit['distance']), **{f: hit['entity'][f] for f in FIELDS})


def filter_of(
    cameras: Sequence[int] | None,
    modalities: Sequence[str] | None,
    after: int | None,
    before: int | None,
) -> str:
    """A filter of Milvus, made of whole numbers and of the two modalities only.

    Args:
        cameras: As ``Gallery.search`` takes them.
        modalities: As there.
        after: As there.
        before: As there.

    Raises:
        ValueError: If one of them is anything else.
    """
    parts = []
    for argument, values in dict(cameras=cameras, modalities=modalities).items():
        if values is not None and (isinstance(values, str) or not len(values)):
            raise InvalidValueError(
                f'Gallery.search: `{argument}` is {values!r}, expected a list of at least one, or '
                'None for all.'
            )
    if cameras is not None:
        parts.append(f'camera_id in {[_whole("cameras", camera) for camera in cameras]}')
    if modalities is not None:
        unknown = [m for m in modalities if m not in MODALITIES]
        if unknown:
            raise InvalidValueError(
                f'Gallery.search: `modalities` has {unknown}, expected some of {MODALITIES}.'
            )
        parts.append('modality in [{}]'.format(', '.join(f'"{m}"' for m in modalities)))
    if after is not None:
        parts.append(f'time >= {max(0, _whole("after", after))}')
    if before is not None:
        parts.append(f'time >= 0 and time < {_whole("before", before)}')
    return ' and '.join(parts)


def _whole(argument: str, value: object) -> int:
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or not -(2**63) <= value < 2**63:
        raise InvalidValueError(
            f'Gallery.search: `{argument}` has {value!r}, expected whole numbers of 64 bits.'
        )
    return int(value)
