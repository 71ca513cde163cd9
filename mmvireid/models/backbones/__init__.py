from .non_local import DotProductNonLocal
from .two_stream_resnet import TwoStreamResNet

__all__ = ['DotProductNonLocal', 'TwoStreamResNet']
