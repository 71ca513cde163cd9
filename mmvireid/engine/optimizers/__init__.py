from .alternating_optim_wrapper_constructor import AlternatingOptimWrapperConstructor
from .autocast_optim_wrapper import AutocastOptimWrapper

__all__ = ['AlternatingOptimWrapperConstructor', 'AutocastOptimWrapper']
