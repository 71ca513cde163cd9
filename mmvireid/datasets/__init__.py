from .base_reid_dataset import BaseReIDDataset
from .collate import reid_collate
from .image_tree import ImageTree
from .llcm import LLCM
from .regdb import RegDB
from .samplers import CrossModalityBatchSampler
from .seeded_index import SeededIndex
from .synthetic import SyntheticSYSU
from .sysu_mm01 import SYSUMM01
from .transforms import LoadReIDImage, PackReIDInputs, RandomErasing, RandomPadCrop
from .worker_init import reid_worker_init

__all__ = [
    'LLCM',
    'SYSUMM01',
    'BaseReIDDataset',
    'CrossModalityBatchSampler',
    'ImageTree',
    'LoadReIDImage',
    'PackReIDInputs',
    'RandomErasing',
    'RandomPadCrop',
    'RegDB',
    'SeededIndex',
    'SyntheticSYSU',
    'reid_collate',
    'reid_worker_init',
]
