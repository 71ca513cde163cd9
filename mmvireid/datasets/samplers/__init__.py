from .cross_modality_batch_sampler import CrossModalityBatchSampler

__all__ = ['CrossModalityBatchSampler']
