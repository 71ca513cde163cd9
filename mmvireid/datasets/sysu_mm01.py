"""SYSU-MM01 (Wu et al., ICCV 2017)."""

from mmvireid.datasets.reading.image_rows import camera_rows, check_ids_seen
from mmvireid.datasets.reading.image_tree import ImageTree
from mmvireid.registry import DATASETS
from mmvireid.structures import INFRARED, VISIBLE

from .base_reid_dataset import BaseReIDDataset

CAMERA_MODALITIES = {
    1: VISIBLE,
    2: VISIBLE,
    3: INFRARED,
    4: VISIBLE,
    5: VISIBLE,
    6: INFRARED,
}


@DATASETS.register_module()
class SYSUMM01(BaseReIDDataset):
    """SYSU-MM01: four visible and two infrared cameras, indoors and outdoors.

    Layout below ``data_root``::

        cam1 ... cam6/<4-digit identity>/<images>
        exp/train_id.txt, val_id.txt, test_id.txt      identities, separated by commas

    Splits: ``train`` (296 identities), ``val`` (99; cameras 3, 4 and 5 only), ``trainval`` (395,
    what the field trains on) and ``test`` (96). Identities are held out from ``train_id.txt``
    alone, because those of ``val_id.txt`` were seen by too few cameras to validate on.

    Args and errors: see :class:`BaseReIDDataset`.
    """

    METAINFO = {'dataset': 'sysu_mm01', 'protocol': 'sysu'}
    title = 'SYSU-MM01'
    contents = 'cam1 ... cam6 and exp'
    splits = ('train', 'val', 'trainval', 'test')
    training_splits = ('train', 'trainval')

    @staticmethod
    def parts_of(split: str) -> tuple[str, ...]:
        return ('train', 'val') if split == 'trainval' else (split,)

    def list_images(self, tree: ImageTree) -> list[dict]:
        parts = self.parts_of(self.split)
        ids = sorted({i for part in parts for i in tree.read_ids(f'exp/{part}_id.txt')})
        folders = {f'cam{camera_id}': camera_id for camera_id in CAMERA_MODALITIES}
        rows = []
        for folder in tree.require_folders([*folders]):
            camera_id = folders[folder]
            rows += camera_rows(tree, folder, ids, camera_id, CAMERA_MODALITIES[camera_id])
        check_ids_seen(tree, ids, rows)
        return rows

    def heldout_candidates(self, tree: ImageTree, ids: list[int]) -> list[int]:
        return sorted(set(ids) & set(tree.read_ids('exp/train_id.txt')))
