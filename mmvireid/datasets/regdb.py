"""RegDB (Nguyen et al., Sensors 2017)."""

from mmvireid.datasets.reading.image_rows import check_training_labels, image_row
from mmvireid.datasets.reading.image_tree import ImageTree
from mmvireid.errors import InvalidValueError
from mmvireid.registry import DATASETS
from mmvireid.structures import INFRARED, VISIBLE

from .base_reid_dataset import BaseReIDDataset

#: Modality, camera number and the data set's own word in its file names.
PARTS = ((VISIBLE, 1, 'visible'), (INFRARED, 2, 'thermal'))


@DATASETS.register_module()
class RegDB(BaseReIDDataset):
    """RegDB: one visible and one far-infrared camera, ten images of each for 412 identities.

    Layout below ``data_root``::

        idx/{train,test}_{visible,thermal}_<trial>.txt     one line per image: path, space, label

    The ten trials are ten divisions of the identities into 206 for training and 206 for testing,
    hence ten models. ``person_id`` is the label of the index file and means another person in
    each split and trial; ``camera_id`` is 1 (visible) or 2 (infrared).

    Args:
        data_root: Folder of the data set.
        split: ``'train'`` or ``'test'``.
        trial: Number of the division, 1 to 10.
        **kwargs: See :class:`BaseReIDDataset`.

    Raises:
        ValueError: If `trial` is out of range, or training labels are not 0 .. C-1.
    """

    METAINFO = {'dataset': 'regdb', 'protocol': 'regdb'}
    title = 'RegDB'
    contents = 'idx and the image folders'
    splits = ('train', 'test')
    training_splits = ('train',)
    trials = range(1, 11)
    must_agree = (*BaseReIDDataset.must_agree, 'trial')

    def __init__(self, data_root: str, split: str, trial: int = 1, **kwargs) -> None:
        if trial not in self.trials:
            raise InvalidValueError(f'RegDB: `trial` is {trial!r}, expected a number from 1 to 10.')
        self.trial = trial
        super().__init__(data_root, split, **kwargs)
        self._metainfo['trial'] = trial

    def list_images(self, tree: ImageTree) -> list[dict]:
        rows = [
            image_row(name, label, camera_id, modality)
            for modality, camera_id, word in PARTS
            for name, label in tree.read_index(f'idx/{self.split}_{word}_{self.trial}.txt')
        ]
        if self.split == 'train':
            check_training_labels(tree, rows)
        return rows
