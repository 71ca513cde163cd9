from .code_identity_network import CodeIdentityNetwork
from .edge_fusion import ConcatEdgeFusion, DirectEdgeFusion, EdgeStream, WeightedEdgeFusion
from .identity_network import Analysis, IdentityNetwork
from .imagenet_input import ImageNetInput
from .non_local import DotProductNonLocal
from .resnet_extractor import ResNetExtractor
from .resnet_trunk import ResNetTrunk
from .sobel import SobelEdges, resize_edges
from .two_stream_resnet import TwoStreamResNet
from .vgg16_features import VGG16Features
from .view_stems import ViewStems
from .vision_transformer import VisionTransformer

__all__ = [
    'Analysis',
    'CodeIdentityNetwork',
    'ConcatEdgeFusion',
    'DirectEdgeFusion',
    'DotProductNonLocal',
    'EdgeStream',
    'IdentityNetwork',
    'ImageNetInput',
    'ResNetExtractor',
    'ResNetTrunk',
    'SobelEdges',
    'TwoStreamResNet',
    'VGG16Features',
    'ViewStems',
    'VisionTransformer',
    'WeightedEdgeFusion',
    'resize_edges',
]
