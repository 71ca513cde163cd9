"""A gallery of pictures that can be searched, kept in Milvus."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from numbers import Integral

import numpy as np
from mmengine.logging import print_log

from mmvireid.errors import InvalidValueError, RunStoppedError
from mmvireid.evaluation import FeatureSet
from mmvireid.search.milvus import connect, disconnect, is_server, refusals, retry_if
from mmvireid.search.records import (
    FIELDS,
    UNKNOWN,
    Match,
    filter_of,
    picture_key,
    picture_record,
    to_match,
)
from mmvireid.structures import MODALITIES

COLLECTION = 'mmvireid'
INDEXES = ('FLAT', 'HNSW')
#: Bytes of features in one message, pictures in one question, and neighbours that Milvus gives.
_MESSAGE, _QUESTION, _MOST = 2**22, 1000, 16384


class Gallery(AbstractContextManager):
    """Features of pictures, to be searched by features of others.

    Milvus keeps them: embedded, in ``gallery.db``, with nothing to start, or in a cluster, by
    another address and nothing else. The embedded one is a folder, in spite of its name, and open
    in one process at a time.

    A picture is known by its name. It is there with all that belongs to it or not at all; added
    again it changes nothing, unless its file has become another one; so an ``add`` that was killed
    is simply repeated. Features are stored as they come, to the last bit, and compared by cosine.

    Args:
        address: ``NAME.db``, or ``http://host:19530``.
        model: Name of the model whose features these are; needed, with ``checksum``, to add
            the first pictures. ``None`` opens a gallery that is there.
        checksum: The model's checksum.
        index: How Milvus searches a new gallery: ``'FLAT'`` compares all, ``'HNSW'`` is faster
            where there are many, and may miss some.
        timeout: Seconds to wait for a server, or for another process that has the file open.

    Raises:
        FileNotFoundError: If the file does not exist, without ``model``.
        ValueError: If the gallery is another model's, or no gallery.
        RuntimeError: If Milvus is not installed, does not answer, or the file is damaged or in use.

    Example:
        >>> with Gallery('gallery.db', 'agw_sysu', checksum) as gallery:  # doctest: +SKIP
        ...     gallery.add(feature_set)
        ...     gallery.search(features, k=10, cameras=[3, 6])
    """

    def __init__(
        self,
        address: str = 'gallery.db',
        model: str | None = None,
        checksum: str | None = None,
        index: str = 'FLAT',
        timeout: float = 10,
    ) -> None:
        if index not in INDEXES:
            raise InvalidValueError(f'Gallery: `index` is {index!r}, expected one of {INDEXES}.')
        if not 0 < timeout < float('inf'):
            raise InvalidValueError(f'Gallery: `timeout` is {timeout!r}, expected seconds above 0.')
        self.address = str(address)
        self.model, self.checksum, self.index, self.size = model, checksum, index, None
        self._client, self._complaints = connect(self.address, timeout, create=model is not None)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, and so the file for others."""
        disconnect(self._client, self.address)

    def _open(self) -> None:
        """Compare the gallery that is there, if there is one, with what is expected."""
        with refusals(self.address):
            if not self._client.has_collection(COLLECTION):
                if self.model is None:
                    raise InvalidValueError(
                        f'Gallery: `address` is {self.address!r}, where no gallery is yet, '
                        'expected one that `add` has made.'
                    )
                return
            self._read_identity(self._client.describe_collection(COLLECTION))
            self._client.load_collection(COLLECTION)
            self._count('')  # opens all of the file
        self._report_damage()

    def _read_identity(self, found: dict) -> None:
        told = found.get('properties') or {}
        model, checksum = (told.get(f'mmvireid.{key}') for key in ('model', 'checksum'))
        if model is None or checksum is None:
            raise InvalidValueError(
                f'Gallery: {self.address} has a collection {COLLECTION!r} that does not say of '
                'which model it is, expected one that `add` has made.'
            )
        if self.model is not None and self.checksum != checksum:
            raise InvalidValueError(
                f'Gallery: {self.address} has features of {model} ({checksum[:12]}), and these '
                f'are of {self.model} ({str(self.checksum)[:12]}): they cannot be compared. '
                'Expected the same model, or a gallery of its own for each.'
            )
        fields = {field['name']: field for field in found['fields']}
        self.size = int(fields['feature']['params']['dim'])
        self.model, self.checksum = model, checksum
        index = self._client.describe_index(COLLECTION, 'feature')
        if index is None:
            raise RunStoppedError(
                f'Gallery: {self.address} is damaged, or its making was cut short: nothing is in '
                'it. Remove it, and add all pictures again.'
            )
        self.index = index['index_type']

    def _report_damage(self) -> None:
        """What the embedded engine only logs: files that it misses, and a last write cut short."""
        missing = [line for line in self._complaints.lines if 'missing' in line]
        if missing:
            raise RunStoppedError(
                f'Gallery: {self.address} is damaged ({missing[0]}): some of its pictures are '
                'gone. Restore it from a copy, or add all pictures to a new one.'
            )
        cut = [line for line in self._complaints.lines if 'WAL recovery' in line]
        if cut:
            print_log(
                f'{self.address}: the last pictures were not written to their end, and are left '
                'out. Add them again.',
                'current',
                logging.WARNING,
            )
        self._complaints.lines.clear()

    def _create(self, size: int) -> None:
        from pymilvus import DataType, MilvusClient

        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field('key', DataType.VARCHAR, max_length=64, is_primary=True)
        schema.add_field('name', DataType.VARCHAR, max_length=65535)
        schema.add_field('digest', DataType.VARCHAR, max_length=64)
        schema.add_field('modality', DataType.VARCHAR, max_length=16)
        for name in ('person_id', 'camera_id', 'time'):
            schema.add_field(name, DataType.INT64)
        schema.add_field('feature', DataType.FLOAT_VECTOR, dim=size)
        index = self._client.prepare_index_params()
        params = dict(M=32, efConstruction=200) if self.index == 'HNSW' else {}
        index.add_index('feature', index_type=self.index, metric_type='COSINE', params=params)
        identity = {'mmvireid.model': self.model, 'mmvireid.checksum': str(self.checksum)}
        retry_if(
            lambda: self._client.create_collection(
                COLLECTION,
                schema=schema,
                index_params=index,
                properties=identity,
                consistency_level='Strong',
            ),
            lambda: self._client.has_collection(COLLECTION),
        )
        self._read_identity(self._client.describe_collection(COLLECTION))

    def add(
        self,
        pictures: FeatureSet,
        times: Sequence[int] | None = None,
        digests: Sequence[str] | None = None,
    ) -> int:
        """Add pictures that are not there yet.

        Args:
            pictures: Features of the gallery's model, with names, cameras and modalities.
            times: When each was taken, seconds since 1970 (UTC), -1 where unknown.
            digests: SHA-256 of each file, see :func:`file_digest`: what has another one than the
                gallery's is replaced.

        Returns:
            How many were new.

        Raises:
            ValueError: If the features are of another size, or an argument of another length.
            RuntimeError: If they cannot be written; those before stay.
        """
        times = [UNKNOWN] * len(pictures) if times is None else times
        digests = [''] * len(pictures) if digests is None else digests
        if not len(times) == len(digests) == len(pictures):
            raise InvalidValueError(
                f'Gallery.add: `times` has {len(times)} and `digests` {len(digests)} entries, '
                f'expected {len(pictures)}, one per picture.'
            )
        self._check_size('add', pictures.features)
        rows = np.flatnonzero(~self.holds(pictures.names, digests))
        per_message = max(1, _MESSAGE // (4 * pictures.features.shape[1]))
        with refusals(self.address):
            if self.size is None:
                self._create(pictures.features.shape[1])
            for start in range(0, len(rows), per_message):
                batch = rows[start : start + per_message]
                records = [picture_record(pictures, row, times[row], digests[row]) for row in batch]
                self._client.upsert(COLLECTION, records)
        return len(rows)

    def holds(self, names: Sequence[str], digests: Sequence[str] | None = None) -> np.ndarray:
        """Which pictures are there already, bool, shape (N,).

        Args:
            names: Their names.
            digests: Their files' digests: a picture of another one is not the same. An empty one
                is the same as any.
        """
        if self.size is None:
            return np.zeros(len(names), bool)
        digests = [''] * len(names) if digests is None else digests
        keys, found = [picture_key(name) for name in names], {}
        with refusals(self.address):
            for part in _parts(keys):
                got = self._client.get(COLLECTION, ids=part, output_fields=['digest'])
                found.update({row['key']: row['digest'] for row in got})
        pairs = zip(keys, digests)
        return np.array([k in found and d in ('', found[k]) for k, d in pairs], bool)

    def remove(self, names: Sequence[str]) -> int:
        """Remove pictures; names that are not there are passed over.

        Returns:
            How many were there.
        """
        there = [name for name, held in zip(names, self.holds(names)) if held]
        with refusals(self.address):
            for part in _parts([picture_key(name) for name in there]):
                self._client.delete(COLLECTION, ids=part)
        return len(there)

    def __len__(self) -> int:
        if self.size is None:
            return 0
        with refusals(self.address):
            return self._count('')

    def _count(self, condition: str) -> int:
        found = self._client.query(COLLECTION, filter=condition, output_fields=['count(*)'])
        return int(found[0]['count(*)'])

    def info(self) -> dict:
        """What a gallery is and holds, plain values by name."""
        counts = Counter((row['modality'], row['camera_id']) for row in self._all())
        return dict(
            address=self.address,
            kind='server' if is_server(self.address) else 'embedded',
            model=self.model,
            checksum=self.checksum,
            feature_size=self.size,
            index=self.index,
            pictures=sum(counts.values()),
            cameras={
                modality: {camera: n for (m, camera), n in sorted(counts.items()) if m == modality}
                for modality in MODALITIES
            },
        )

    def _all(self) -> Iterator[dict]:
        """Camera and modality of every picture."""
        if self.size is None:
            return
        with refusals(self.address):
            pages = self._client.query_iterator(
                COLLECTION, batch_size=_QUESTION, output_fields=['camera_id', 'modality']
            )
            while rows := pages.next():
                yield from rows
            pages.close()

    def search(
        self,
        features: np.ndarray,
        k: int = 10,
        min_similarity: float = -1,
        cameras: Sequence[int] | None = None,
        modalities: Sequence[str] | None = None,
        after: int | None = None,
        before: int | None = None,
    ) -> list[list[Match]]:
        """Find the pictures most like each of some others.

        Args:
            features: Of the gallery's model, shape (Nq, D).
            k: At most how many for each, from 1 to 16384.
            min_similarity: Leave out what is less similar, in [-1, 1].
            cameras: Numbers of cameras to search; ``None`` for all.
            modalities: Likewise, of ``'visible'`` and ``'infrared'``.
            after: Only pictures of this second since 1970 (UTC) or later; what has no time is left
                out.
            before: Only pictures of before this second; likewise.

        Returns:
            For each query its matches, best first.

        Raises:
            ValueError: If an argument is not as above.
        """
        if not isinstance(k, Integral) or not 1 <= k <= _MOST:
            raise InvalidValueError(
                f'Gallery.search: `k` is {k!r}, expected a whole number from 1 to {_MOST}.'
            )
        if not -1 <= min_similarity <= 1:
            raise InvalidValueError(
                f'Gallery.search: `min_similarity` is {min_similarity!r}, expected -1 to 1.'
            )
        features = np.ascontiguousarray(features, np.float32)
        self._check_size('search', features)
        if self.size is None:
            return [[] for _ in features]
        condition = filter_of(cameras, modalities, after, before)
        params = dict(params=dict(ef=max(128, 2 * int(k)))) if self.index == 'HNSW' else {}
        found = []
        with refusals(self.address):
            for part in _parts(features):
                found += self._client.search(
                    COLLECTION,
                    data=list(part),
                    anns_field='feature',
                    filter=condition,
                    limit=int(k),
                    output_fields=list(FIELDS),
                    search_params=params,
                )
        matches = ([to_match(hit) for hit in hits] for hits in found)
        return [[m for m in row if m.similarity >= min_similarity] for row in matches]

    def _check_size(self, method: str, features: np.ndarray) -> None:
        if features.ndim != 2 or self.size not in (None, features.shape[-1]):
            raise InvalidValueError(
                f'Gallery.{method}: features have shape {features.shape}, expected '
                f'(N, {self.size or "D"}).'
            )
        if not np.isfinite(features).all():
            raise InvalidValueError(f'Gallery.{method}: features are NaN or infinite.')


def _parts(items: Sequence) -> Iterator[Sequence]:
    for start in range(0, len(items), _QUESTION):
        yield items[start : start + _QUESTION]
