from .block_batch_sampler import BlockBatchSampler
from .cross_modality_batch_sampler import CrossModalityBatchSampler
from .identity_pair_batch_sampler import IdentityPairBatchSampler
from .uniform_batch_sampler import UniformBatchSampler

__all__ = [
    'BlockBatchSampler',
    'CrossModalityBatchSampler',
    'IdentityPairBatchSampler',
    'UniformBatchSampler',
]
