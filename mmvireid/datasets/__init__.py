from .base_reid_dataset import BaseReIDDataset
from .csv_reid import CSVReID
from .joined_reid import JoinedReID
from .llcm import LLCM
from .loading.collate import reid_collate
from .loading.noise import noise_batch
from .loading.seeded_index import SeededIndex
from .loading.worker_init import reid_worker_init
from .reading.image_rows import image_row
from .reading.image_tree import ImageTree
from .reading.training_data import check_trained_on
from .regdb import RegDB
from .samplers import (
    BlockBatchSampler,
    CrossModalityBatchSampler,
    IdentityPairBatchSampler,
    UniformBatchSampler,
)
from .synthetic import SyntheticSYSU
from .synthetic_regdb import SyntheticRegDB
from .synthetic_visible import SyntheticVisible
from .sysu_mm01 import SYSUMM01
from .transforms import (
    LoadReIDImage,
    PackReIDInputs,
    RandomChannelGain,
    RandomErasing,
    RandomPadCrop,
)

__all__ = [
    'LLCM',
    'SYSUMM01',
    'BaseReIDDataset',
    'BlockBatchSampler',
    'CSVReID',
    'CrossModalityBatchSampler',
    'IdentityPairBatchSampler',
    'ImageTree',
    'JoinedReID',
    'LoadReIDImage',
    'PackReIDInputs',
    'RandomChannelGain',
    'RandomErasing',
    'RandomPadCrop',
    'RegDB',
    'SeededIndex',
    'SyntheticRegDB',
    'SyntheticSYSU',
    'SyntheticVisible',
    'UniformBatchSampler',
    'check_trained_on',
    'image_row',
    'noise_batch',
    'reid_collate',
    'reid_worker_init',
]
