from .block_batch_sampler import BlockBatchSampler
from .cross_modality_batch_sampler import CrossModalityBatchSampler
from .uniform_batch_sampler import UniformBatchSampler

__all__ = ['BlockBatchSampler', 'CrossModalityBatchSampler', 'UniformBatchSampler']
