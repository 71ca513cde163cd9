from .bottleneck_identity_head import BottleneckIdentityHead
from .identity_head import IdentityHead
from .mixture_prior import MixturePrior

__all__ = ['BottleneckIdentityHead', 'IdentityHead', 'MixturePrior']
