"""Pictures of one's own, which a table lists."""

from collections import defaultdict
from pathlib import Path

from mmvireid.datasets.reading.image_rows import image_row
from mmvireid.datasets.reading.image_tree import ImageTree, brief_list
from mmvireid.datasets.reading.table import COLUMNS, read_table
from mmvireid.errors import InvalidValueError, MissingFileError, Refusal
from mmvireid.registry import DATASETS

from .base_reid_dataset import BaseReIDDataset


@DATASETS.register_module()
class CSVReID(BaseReIDDataset):
    """A data set of one's own: a table below ``data_root`` has a line per image.

    Columns: ``path`` (of an image below the table's folder, relative to it), ``person_id`` and
    ``camera_id`` (whole numbers), ``modality`` (``visible`` or ``infrared``), ``split`` (``train``,
    ``val`` or ``test``) and, if rooms are to be left out in the evaluation, ``room`` (any text).
    ``tools/dataset_converters/make_table.py`` writes one for images in folders.

    A camera may record both modalities. People are the same by the same number in all splits: of
    one in two splits nothing is tested, unless ``trained_elsewhere=True`` says that it is meant.

    Args:
        data_root: Folder of the table and, in it or below, of the images.
        split: ``'train'``, ``'val'`` or ``'test'``.
        table: Name of the table.
        dataset: What results and checkpoints call it. Several of them in one run need several
            names.
        **kwargs: See :class:`BaseReIDDataset`.

    Raises:
        FileNotFoundError: As :class:`BaseReIDDataset`, or if there is no table.
        ValueError: As :class:`BaseReIDDataset`, or if the table is not what it should be.
    """

    METAINFO = {'dataset': 'csv', 'protocol': 'csv'}
    title = 'your own data set'
    contents = 'the table and the images'
    splits = ('train', 'val', 'test')
    training_splits = ('train',)
    mixed_cameras = True

    def __init__(
        self,
        data_root: str,
        split: str,
        table: str = 'images.csv',
        dataset: str = 'csv',
        **kwargs,
    ) -> None:
        self.table = table
        super().__init__(data_root, split, **kwargs)
        self._metainfo['dataset'] = dataset

    def list_images(self, tree: ImageTree) -> list[dict]:
        lines = self._read_lines(tree)
        unknown = sorted({line['split'] for line in lines} - {*self.splits})
        if unknown:
            tree.on_problem(
                InvalidValueError(
                    f'{type(self).__name__}: `split` in {tree.root / self.table} is also '
                    f'{unknown}, expected one of {self.splits} in every line.'
                )
            )
        if not (self.split in self.training_splits or self.trained_elsewhere):
            self._check_people(tree, lines)
        return [
            image_row(line['path'], line['person_id'], line['camera_id'], line['modality'])
            | {key: line[key] for key in ('room',) if key in line}
            for line in lines
            if line['split'] == self.split
        ]

    def _read_lines(self, tree: ImageTree) -> list[dict]:
        path = Path(tree.root, self.table)
        try:
            if not path.is_file():
                raise MissingFileError(
                    f'{type(self).__name__}: {path} does not exist, expected a table with the '
                    f'columns {",".join(COLUMNS)}. For images in folders '
                    'tools/dataset_converters/make_table.py writes one.'
                )
            return read_table(path)
        except Refusal as problem:
            tree.on_problem(problem)
            return []

    def _check_people(self, tree: ImageTree, lines: list[dict]) -> None:
        splits = defaultdict(set)
        for line in lines:
            splits[line['person_id']] |= {line['split']} & {*self.splits}
        shared = [
            f'{person_id} ({" and ".join(sorted(found))})'
            for person_id, found in splits.items()
            if len(found) > 1
        ]
        if shared:
            tree.on_problem(
                InvalidValueError(
                    f'{type(self).__name__}: {len(shared)} people of {tree.root / self.table} are '
                    f'in two splits: {brief_list(shared)}. A test on people who were trained on '
                    'means something else; set `trained_elsewhere=True` if that is meant.'
                )
            )
