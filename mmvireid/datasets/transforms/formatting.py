"""From the pipeline's dictionary to what a model gets."""

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from mmvireid.registry import TRANSFORMS
from mmvireid.structures import ReIDDataSample

from .cropping import PICTURE_BOX

DATA_KEYS = ('person_id', 'gt_label', 'camera_id', 'modality', 'room')
META_KEYS = ('name', 'img_path', 'sample_idx', 'block', 'replaced')


@TRANSFORMS.register_module()
class PackReIDInputs(BaseTransform):
    """Pack the image and what is known about it.

    Required Keys:

    - img (uint8 BGR, shape (H, W, 3))
    - person_id, gt_label, camera_id, modality, room, name, img_path, sample_idx, block, replaced
      (each optional: an image that comes from nowhere has no annotations)
    - gt_bboxes (optional: where the picture is, as :class:`RandomPadCrop` leaves it)

    Added Keys (the only ones that are left):

    - inputs (uint8 tensor in BGR, shape (3, H, W))
    - data_samples (:class:`ReIDDataSample`)
    """

    def transform(self, results: dict) -> dict:
        planes = np.ascontiguousarray(results['img'].transpose(2, 0, 1))
        metainfo = {key: results[key] for key in META_KEYS if key in results}
        if PICTURE_BOX in results:
            metainfo['picture_box'] = tuple(results[PICTURE_BOX][0].tolist())
        fields = {key: results[key] for key in DATA_KEYS if key in results}
        return {
            'inputs': torch.from_numpy(planes),
            'data_samples': ReIDDataSample(metainfo=metainfo, **fields),
        }

    def __repr__(self) -> str:
        return 'PackReIDInputs()'
