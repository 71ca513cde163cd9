from .non_local import DotProductNonLocal
from .resnet_extractor import ResNetExtractor
from .two_stream_resnet import TwoStreamResNet

__all__ = ['DotProductNonLocal', 'ResNetExtractor', 'TwoStreamResNet']
