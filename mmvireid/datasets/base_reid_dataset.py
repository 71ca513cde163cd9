"""What the visible-infrared data sets have in common: labels, held-out identities, cache."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from mmvireid.datasets.loading.seeded_index import SeededIndex, seeded_randomness
from mmvireid.datasets.loading.worker_failure import note_image
from mmvireid.datasets.reading.image_cache import ImageCache
from mmvireid.datasets.reading.image_rows import check_rows, unpaired_ids
from mmvireid.datasets.reading.image_tree import ImageTree, brief_list, raise_problem
from mmvireid.errors import InvalidValueError, MissingFileError
from mmvireid.registry import TRANSFORMS

from .transforms import LoadReIDImage


class BaseReIDDataset(BaseDataset):
    """Images of people in two modalities.

    A subclass states its splits and lists its images (:meth:`list_images`); this class makes the
    labels, holds identities out, and serves images, cached if asked to.

    - A row of the data list has ``img_path``, ``name`` (path relative to the data root, with
      ``/``), ``person_id``, ``camera_id``, ``modality`` and ``gt_label``. Rows are sorted by name.
    - ``gt_label`` counts 0 .. C-1 by ascending ``person_id`` over the identities that a training
      split has left. It is -1 in a test split and for held-out identities: nothing trains there.
    - ``metainfo`` has ``dataset``, ``protocol`` (the rules of evaluation), ``split`` and
      ``num_ids``, plain Python values all; ``image_size`` where the pipeline loads images, and
      ``heldout_ids`` (by ``person_id``) where there are some. Checkpoints keep that of the training
      data: a model is not tested on images that contradict it (``must_agree``).
    - An index may be a :class:`SeededIndex`; the pipeline then draws from that seed.

    Args:
        data_root: Folder of the data set.
        split: One of the class's ``splits``.
        pipeline: Transforms, or their configs.
        cache: Where resized images are kept after their first use: ``None`` (nowhere), ``'ram'``
            (shared memory of this process and its workers), ``'disk'``, or ``'auto'``: on disk if
            the folder can be written and as much room is left beside it, else nowhere, which is
            said.
        cache_dir: Folder of the disk cache; ``None`` is ``.image_cache`` below the data root.
        num_heldout_ids: How many training identities are held out, to select models by.
        heldout: Which part this data set is: the held-out identities or those left for training.
        heldout_seed: Seed of the draw of held-out identities.
        drop_unpaired: Leave out training identities of which one modality only is there.
        on_unreadable: What becomes of an image that cannot be read: ``'stop'`` raises an error
            that names it. ``'replace'`` takes the next readable image of the same identity and
            modality in the list instead, and says so in the sample's metainfo (``replaced``, the
            path); only images to train on can be replaced, an evaluation would be falsified.
        trained_elsewhere: What models tested on these images may have been trained on besides what
            fits them: names of other data sets (as in ``metainfo``), for a test across data sets;
            ``True`` for anything, also another trial or image size, or these very people.
        **kwargs: Passed to MMEngine's ``BaseDataset``, such as ``lazy_init`` or ``indices``.

    Raises:
        FileNotFoundError: If the data root, a folder or an index file is missing.
        ValueError: If an argument is out of range, or the files are not what they should be.
    """

    #: Human-readable name, and what the data root holds, for messages.
    title: str
    contents: str
    splits: tuple[str, ...]
    training_splits: tuple[str, ...]
    #: What of ``metainfo`` has to be the same in training and test.
    must_agree: tuple[str, ...] = ('dataset', 'image_size')
    #: What of ``metainfo`` makes the people, also those of other data sets that have it.
    people_made_by: str | None = None
    #: Whether a camera may have images of both modalities.
    mixed_cameras: bool = False
    #: Whether people to train on must have images of both modalities.
    paired: bool = True

    def __init__(
        self,
        data_root: str,
        split: str,
        pipeline: Sequence[dict | Callable] = (),
        cache: str | None = None,
        cache_dir: str | None = None,
        num_heldout_ids: int = 0,
        heldout: bool = False,
        heldout_seed: int = 0,
        drop_unpaired: bool = False,
        on_unreadable: str = 'stop',
        trained_elsewhere: bool | Sequence[str] = False,
        **kwargs,
    ) -> None:
        self.split = split
        self.num_heldout_ids = num_heldout_ids
        self.heldout = heldout
        self.heldout_seed = heldout_seed
        self.drop_unpaired = drop_unpaired
        self.cache = cache
        self.cache_dir = cache_dir
        self.on_unreadable = on_unreadable
        self.trained_elsewhere = trained_elsewhere
        self.image_cache = None
        self._check_arguments()
        super().__init__(
            data_root=str(data_root),
            pipeline=[TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline],
            test_mode=not self.has_labels,
            **kwargs,
        )

    @property
    def has_labels(self) -> bool:
        """Whether these images are there to train on."""
        return self.split in self.training_splits and not self.heldout

    @staticmethod
    def parts_of(split: str) -> tuple[str, ...]:
        """The lists of people that a split is made of; splits that share one share people."""
        return (split,)

    def list_images(self, tree: ImageTree) -> list[dict]:
        """Every image of the split, as ``image_row`` makes them, in any order.

        Args:
            tree: Files below the data root.
        """
        raise NotImplementedError

    def open_tree(self, on_problem: Callable[[Exception], None] = raise_problem) -> ImageTree:
        """The files below the data root.

        Args:
            on_problem: Gets every later problem, see :class:`ImageTree`.

        Raises:
            FileNotFoundError: If there is no such folder; this is never handed to `on_problem`.
        """
        if not Path(self.data_root).is_dir():
            raise MissingFileError(
                f'{type(self).__name__}: `data_root` is {self.data_root!r}, expected an existing '
                f'folder that holds {self.contents} of {self.title}. Get the data set from its '
                'authors and set the config key `data_root`, or render a substitute there with '
                'tools/dataset_converters/render_synthetic.py.'
            )
        return ImageTree(self.data_root, on_problem)

    def heldout_candidates(self, tree: ImageTree, ids: list[int]) -> list[int]:
        """Training identities that may be held out; all of them unless a subclass knows better."""
        return ids

    def load_data_list(self) -> list[dict]:
        """Rows of the data list; called by MMEngine."""
        tree = self.open_tree()
        rows = list(self.list_images(tree))
        check_rows(type(self).__name__, tree, rows, self.mixed_cameras)
        rows.sort(key=lambda row: row['name'])
        if self.split in self.training_splits:
            rows = self._select_identities(tree, rows)
        if not rows:
            raise InvalidValueError(
                f'{type(self).__name__}: no image of split {self.split!r} is left in '
                f'{self.data_root}.'
            )
        ids = sorted({row['person_id'] for row in rows})
        labels = {person_id: label for label, person_id in enumerate(ids)}
        for row in rows:
            row['img_path'] = f'{tree.root}/{row["name"]}'
            row['gt_label'] = labels[row['person_id']] if self.has_labels else -1
        split = f'{self.split}/heldout' if self.heldout else self.split
        self._metainfo.update(split=split, num_ids=len(ids))
        for loader in self.pipeline.transforms:
            if isinstance(loader, LoadReIDImage):
                self._metainfo['image_size'] = list(loader.size)
        if self.cache in ('ram', 'disk') or self.on_unreadable == 'replace':
            self.loader = self._find_loader()
        if self.cache is not None:
            self.image_cache = self._make_cache(rows)
        if self.image_cache is not None:
            rows = [{**row, 'cache_slot': slot} for slot, row in enumerate(rows)]
        return rows

    def prepare_data(self, idx: int | SeededIndex) -> dict:
        """Loads one image and sends it through the pipeline.

        Args:
            idx: Row, with or without the seed of the pipeline's random numbers. A
                :class:`SeededIndex` that names a batch block adds the key ``block``.

        Raises:
            ValueError: If the image cannot be read, nor be replaced where that is asked for, or a
                transform drops it.
        """
        if isinstance(idx, SeededIndex):
            with seeded_randomness(idx.seed):
                return self._prepare(idx.index, idx.block)
        return self._prepare(idx)

    def _prepare(self, index: int, block: str | None = None) -> dict:
        row = self.get_data_info(index)
        path = row['img_path']
        note_image(path)
        try:
            row = self._load(row)
            if block is not None:
                row['block'] = block
            if row['img_path'] != path:
                row['replaced'] = path
            results = self.pipeline(row)
        except Exception as error:
            if path not in str(error):
                error.add_note(f'The image was {path}.')
            raise
        if results is None:
            raise InvalidValueError(
                f'{type(self).__name__}: a transform of the pipeline returned None for {path}. '
                'Another image cannot take its place in the batch.'
            )
        return results

    def _load(self, row: dict) -> dict:
        """The row with its image, or another row that replaces it.

        Without a cache and replacements the image is left to the pipeline.
        """
        try:
            return self._read(row)
        except ValueError as error:
            if self.on_unreadable == 'stop':
                raise
            return self._replacement(row, error)

    def _read(self, row: dict) -> dict:
        if self.image_cache is not None:
            row['img'] = self.image_cache.read(row.pop('cache_slot'), row['img_path'])
        elif self.on_unreadable == 'replace':
            row['img'] = self.loader.load(row['img_path'])
        return row

    def _replacement(self, row: dict, error: ValueError) -> dict:
        """The next row in the list, begun anew at its end, that can stand for an unreadable one.

        It is a function of the row, not of a draw: a resumed run makes the same choice.
        """
        for step in range(1, len(self)):
            other = self.get_data_info((row['sample_idx'] + step) % len(self))
            if all(other[key] == row[key] for key in ('person_id', 'modality')):
                with suppress(ValueError):
                    return self._read(other)
        raise InvalidValueError(
            f'{type(self).__name__}: identity {row["person_id"]} has no readable '
            f'{row["modality"]} image that could replace one. {error}'
        ) from error

    def _check_arguments(self) -> None:
        name = type(self).__name__
        if self.split not in self.splits:
            raise InvalidValueError(
                f'{name}: `split` is {self.split!r}, expected one of {self.splits}.'
            )
        if self.cache not in (None, 'auto', 'ram', 'disk'):
            raise InvalidValueError(
                f"{name}: `cache` is {self.cache!r}, expected None, 'auto', 'ram' or 'disk'."
            )
        if self.on_unreadable not in ('stop', 'replace'):
            raise InvalidValueError(
                f"{name}: `on_unreadable` is {self.on_unreadable!r}, expected 'stop' or 'replace'."
            )
        holds_out = self.num_heldout_ids > 0
        if self.num_heldout_ids < 0 or (holds_out and self.split not in self.training_splits):
            raise InvalidValueError(
                f'{name}: `num_heldout_ids` is {self.num_heldout_ids}, expected 0, or more with '
                f'`split` one of {self.training_splits} (it is {self.split!r}).'
            )
        if self.heldout and not holds_out:
            raise InvalidValueError(
                f'{name}: `heldout` is True, expected `num_heldout_ids` above 0.'
            )
        if self.on_unreadable == 'replace' and not self.has_labels:
            raise InvalidValueError(
                f"{name}: `on_unreadable` is 'replace', expected 'stop' for images that are not "
                f'trained on (`split` is {self.split!r}, `heldout` is {self.heldout}): a replaced '
                'query or gallery image would falsify the figures.'
            )

    def _select_identities(self, tree: ImageTree, rows: list[dict]) -> list[dict]:
        """Rows of the identities that are paired, and on this side of the held-out draw."""
        unpaired = unpaired_ids(rows) if self.paired else {}
        if unpaired and not self.drop_unpaired:
            listed = [f'{person_id} ({modality})' for person_id, modality in unpaired.items()]
            raise InvalidValueError(
                f'{type(self).__name__}: {len(unpaired)} identities of split {self.split!r} have '
                f'images of one modality only: {brief_list(listed)}. Set `drop_unpaired=True` '
                'to train without them.'
            )
        rows = [row for row in rows if row['person_id'] not in unpaired]
        if self.num_heldout_ids == 0:
            return rows
        ids = sorted({row['person_id'] for row in rows})
        chosen = self._draw_heldout(self.heldout_candidates(tree, ids), len(ids))
        self._metainfo['heldout_ids'] = sorted(chosen)
        return [row for row in rows if (row['person_id'] in chosen) == self.heldout]

    def _draw_heldout(self, candidates: list[int], num_ids: int) -> set[int]:
        most = min(len(candidates), num_ids - 1)
        if self.num_heldout_ids > most:
            raise InvalidValueError(
                f'{type(self).__name__}: `num_heldout_ids` is {self.num_heldout_ids}, expected at '
                f'most {most}: split {self.split!r} has {num_ids} identities, of which '
                f'{len(candidates)} may be held out.'
            )
        rng = np.random.default_rng(self.heldout_seed)
        return set(rng.choice(candidates, self.num_heldout_ids, replace=False).tolist())

    def _find_loader(self) -> LoadReIDImage:
        loaders = [t for t in self.pipeline.transforms if isinstance(t, LoadReIDImage)]
        if len(loaders) != 1:
            raise InvalidValueError(
                f'{type(self).__name__}: `cache` is {self.cache!r} and `on_unreadable` is '
                f'{self.on_unreadable!r}, expected a pipeline with one LoadReIDImage, whose '
                f'output is what is cached or replaced; it has {len(loaders)}.'
            )
        return loaders[0]

    def _make_cache(self, rows: list[dict]) -> ImageCache | None:
        if self.cache == 'ram':
            return ImageCache.in_ram(self.loader, len(rows))
        names = [row['name'] for row in rows]
        folder = Path(self.cache_dir or Path(self.data_root) / '.image_cache')
        if self.cache == 'disk':
            return ImageCache.on_disk(self.loader, self.data_root, names, folder)
        try:
            self.loader = self._find_loader()
            cache = ImageCache.on_disk(self.loader, self.data_root, names, folder, spare=1)
        except InvalidValueError as error:
            print_log(f'Images are decoded anew in every epoch: {error}', 'current')
            return None
        print_log(f'Resized images are kept in {cache.store}; delete it at will.', 'current')
        return cache
