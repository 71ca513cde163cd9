from .alternating_optim_wrapper_constructor import AlternatingOptimWrapperConstructor
from .autocast_optim_wrapper import AutocastOptimWrapper
from .warmup_cosine_lr import WarmupCosineLR

__all__ = ['AlternatingOptimWrapperConstructor', 'AutocastOptimWrapper', 'WarmupCosineLR']
