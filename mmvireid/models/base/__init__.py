from .base_reid import BaseReID

__all__ = ['BaseReID']
