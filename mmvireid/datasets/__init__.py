from .base_reid_dataset import BaseReIDDataset
from .collate import reid_collate
from .image_rows import image_row
from .image_tree import ImageTree
from .llcm import LLCM
from .noise import noise_batch
from .regdb import RegDB
from .samplers import BlockBatchSampler, CrossModalityBatchSampler
from .seeded_index import SeededIndex
from .synthetic import SyntheticSYSU
from .sysu_mm01 import SYSUMM01
from .training_data import check_trained_on
from .transforms import LoadReIDImage, PackReIDInputs, RandomErasing, RandomPadCrop
from .worker_init import reid_worker_init

__all__ = [
    'LLCM',
    'SYSUMM01',
    'BaseReIDDataset',
    'BlockBatchSampler',
    'CrossModalityBatchSampler',
    'ImageTree',
    'LoadReIDImage',
    'PackReIDInputs',
    'RandomErasing',
    'RandomPadCrop',
    'RegDB',
    'SeededIndex',
    'SyntheticSYSU',
    'check_trained_on',
    'image_row',
    'noise_batch',
    'reid_collate',
    'reid_worker_init',
]
