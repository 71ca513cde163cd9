from . import backbones, base, data_preprocessors, heads, losses, methods, necks

__all__ = ['backbones', 'base', 'data_preprocessors', 'heads', 'losses', 'methods', 'necks']
