from .block_batch_sampler import BlockBatchSampler
from .cross_modality_batch_sampler import CrossModalityBatchSampler

__all__ = ['BlockBatchSampler', 'CrossModalityBatchSampler']
