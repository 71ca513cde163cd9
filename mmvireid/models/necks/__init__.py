from .bn_neck import BNNeck
from .pooling import AveragePooling, GeMPooling

__all__ = ['AveragePooling', 'BNNeck', 'GeMPooling']
