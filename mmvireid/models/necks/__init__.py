from .bn_neck import BNNeck
from .paired_bn_neck import PairedBNNeck
from .pooling import AveragePooling, GeMPooling, MaxPooling

__all__ = ['AveragePooling', 'BNNeck', 'GeMPooling', 'MaxPooling', 'PairedBNNeck']
