from .bn_neck import BNNeck
from .pooling import AveragePooling, GeMPooling, MaxPooling

__all__ = ['AveragePooling', 'BNNeck', 'GeMPooling', 'MaxPooling']
