from .identity_head import IdentityHead
from .mixture_prior import MixturePrior

__all__ = ['IdentityHead', 'MixturePrior']
