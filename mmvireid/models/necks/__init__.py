from .bn_neck import BNNeck
from .code_mix import CodeMix
from .paired_bn_neck import PairedBNNeck
from .pooling import AveragePooling, GeMPooling, MaxPooling

__all__ = ['AveragePooling', 'BNNeck', 'CodeMix', 'GeMPooling', 'MaxPooling', 'PairedBNNeck']
