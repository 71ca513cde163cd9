from .bn_neck import BNNeck
from .code_mix import CodeMix
from .modality_bn_neck import ModalityBNNeck
from .paired_bn_neck import PairedBNNeck
from .pooling import AveragePooling, ClassToken, GeMPooling, MaxPooling
from .stripe_neck import StripeNeck, stripe_bounds

__all__ = [
    'AveragePooling',
    'BNNeck',
    'ClassToken',
    'CodeMix',
    'GeMPooling',
    'MaxPooling',
    'ModalityBNNeck',
    'PairedBNNeck',
    'StripeNeck',
    'stripe_bounds',
]
