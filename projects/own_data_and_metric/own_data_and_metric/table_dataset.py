"""Images that a table lists."""

import csv
from pathlib import Path

from mmvireid.datasets import BaseReIDDataset, ImageTree
from mmvireid.datasets.reading.image_rows import image_row
from mmvireid.errors import InvalidValueError, MissingFileError
from mmvireid.registry import DATASETS

TABLE = 'images.csv'
COLUMNS = ('path', 'person_id', 'camera_id', 'modality', 'split')


@DATASETS.register_module()
class TableDataset(BaseReIDDataset):
    """A data set of one's own: ``images.csv`` below ``data_root`` has a line per image.

    Columns: ``path`` (relative to the data root, with ``/``), ``person_id`` and ``camera_id``
    (whole numbers), ``modality`` (``visible`` or ``infrared``) and ``split`` (``train`` or
    ``test``). The base class checks the rows: values, files, repeated images.

    Args and errors: see :class:`BaseReIDDataset`.
    """

    METAINFO = {'dataset': 'own_data', 'protocol': 'night-to-day'}
    title = 'your own data set'
    contents = f'{TABLE} and the images that it lists'
    splits = ('train', 'test')
    training_splits = ('train',)

    def list_images(self, tree: ImageTree) -> list[dict]:
        return [
            image_row(
                name=line['path'],
                person_id=_number(line['person_id']),
                camera_id=_number(line['camera_id']),
                modality=line['modality'],
            )
            for line in self._read_table(Path(tree.root, TABLE))
            if line['split'] == self.split
        ]

    def _read_table(self, table: Path) -> list[dict[str, str]]:
        if not table.is_file():
            raise MissingFileError(
                f'TableDataset: {table} does not exist, expected a table with the columns '
                f'{", ".join(COLUMNS)}; make_table.py writes one for rendered pictures.'
            )
        with table.open(newline='', encoding='utf-8') as file:
            reader = csv.DictReader(file, restval='')
            lines = list(reader)
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise InvalidValueError(
                f'TableDataset: {table} has the columns {reader.fieldnames}, expected '
                f'{list(COLUMNS)}.'
            )
        unknown = sorted({line['split'] for line in lines} - set(self.splits))
        if unknown:
            raise InvalidValueError(
                f'TableDataset: `split` in {table} is also {unknown}, expected one of '
                f'{self.splits} in every line.'
            )
        return lines


def _number(text: str) -> int | str:
    """A number where it is one: the base class names the rows in which it is none."""
    return int(text) if text.isdecimal() else text
