"""LLCM (Zhang and Wang, CVPR 2023)."""

import re
from pathlib import PurePosixPath

from mmvireid.datasets.reading.image_rows import (
    camera_rows,
    check_ids_seen,
    check_training_labels,
    image_row,
)
from mmvireid.datasets.reading.image_tree import ImageTree
from mmvireid.registry import DATASETS
from mmvireid.structures import INFRARED, VISIBLE

from .base_reid_dataset import BaseReIDDataset

#: Modality, the data set's own word in its file names, and the cameras of the test images.
PARTS = (
    (VISIBLE, 'vis', (1, 2, 3, 4, 5, 6, 7, 8, 9)),
    (INFRARED, 'nir', (1, 2, 4, 5, 6, 7, 8, 9)),
)


@DATASETS.register_module()
class LLCM(BaseReIDDataset):
    """LLCM: nine cameras at night that record both modalities, 713 + 351 identities.

    Layout below ``data_root``::

        idx/train_vis.txt, idx/train_nir.txt     one line per image: path, space, label
        idx/test_id.txt                          identities, separated by commas
        test_vis/cam1 ... cam9/<4-digit identity>/<images>
        test_nir/cam1, cam2, cam4 ... cam9/<4-digit identity>/<images>     (no camera 3)

    ``person_id`` is the label of the index file in ``train`` and the folder's number in ``test``,
    two different countings. ``camera_id`` of a training image comes from the ``c01`` in its file
    name or from a ``cam1`` folder; it is -1 if there is neither (training does not need it).

    Args and errors: see :class:`BaseReIDDataset`. A ``ValueError`` too if training labels are
    not 0 .. C-1.
    """

    METAINFO = {'dataset': 'llcm', 'protocol': 'llcm'}
    title = 'LLCM'
    contents = 'idx, test_vis, test_nir and the training images'
    splits = ('train', 'test')
    training_splits = ('train',)
    mixed_cameras = True

    def list_images(self, tree: ImageTree) -> list[dict]:
        return self._list_train(tree) if self.split == 'train' else self._list_test(tree)

    def _list_train(self, tree: ImageTree) -> list[dict]:
        rows = [
            image_row(name, label, camera_of(name), modality)
            for modality, word, _ in PARTS
            for name, label in tree.read_index(f'idx/train_{word}.txt')
        ]
        check_training_labels(tree, rows)
        return rows

    def _list_test(self, tree: ImageTree) -> list[dict]:
        ids = tree.read_ids('idx/test_id.txt')
        rows = []
        for modality, word, cameras in PARTS:
            folders = {f'test_{word}/cam{camera_id}': camera_id for camera_id in cameras}
            for folder in tree.require_folders([*folders]):
                rows += camera_rows(tree, folder, ids, folders[folder], modality)
        check_ids_seen(tree, ids, rows)
        return rows


def camera_of(name: str) -> int:
    """Camera of a training image: ``c07`` in its file name, a folder ``cam7``, or else -1.

    Example:
        >>> camera_of('cam_data/nir/0003/0003_c01_s185734_f3195_nir.jpg')
        1
    """
    *folders, file = PurePosixPath(name).parts
    matches = [re.search(r'(?:^|_)c(\d+)_', file)]
    matches += [re.fullmatch(r'cam(\d+)', folder) for folder in reversed(folders)]
    return next((int(match[1]) for match in matches if match), -1)
