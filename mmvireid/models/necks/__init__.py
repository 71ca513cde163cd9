from .bn_neck import BNNeck
from .code_mix import CodeMix
from .modality_bn_neck import ModalityBNNeck
from .paired_bn_neck import PairedBNNeck
from .part_mask_neck import MaskedParts, PartMaskNeck
from .pooling import AveragePooling, ClassToken, GeMPooling, MaxPooling
from .softmax_perceptron import SoftmaxPerceptron
from .stripe_neck import StripeNeck, stripe_bounds

__all__ = [
    'AveragePooling',
    'BNNeck',
    'ClassToken',
    'CodeMix',
    'GeMPooling',
    'MaskedParts',
    'MaxPooling',
    'ModalityBNNeck',
    'PairedBNNeck',
    'PartMaskNeck',
    'SoftmaxPerceptron',
    'StripeNeck',
    'stripe_bounds',
]
