from .bottleneck_identity_head import BottleneckIdentityHead
from .feature_identity_head import FeatureIdentityHead, Identification
from .identity_head import IdentityHead
from .mixture_prior import MixturePrior

__all__ = [
    'BottleneckIdentityHead',
    'FeatureIdentityHead',
    'Identification',
    'IdentityHead',
    'MixturePrior',
]
