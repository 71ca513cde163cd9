from .bottleneck_identity_head import BottleneckIdentityHead
from .cosine_identity_head import CosineIdentityHead
from .feature_identity_head import FeatureIdentityHead, Identification
from .identity_head import IdentityHead
from .mixture_prior import MixturePrior
from .modality_heads import ModalityHeads, TaughtLogits
from .part_heads import PartHeads

__all__ = [
    'BottleneckIdentityHead',
    'CosineIdentityHead',
    'FeatureIdentityHead',
    'Identification',
    'IdentityHead',
    'MixturePrior',
    'ModalityHeads',
    'PartHeads',
    'TaughtLogits',
]
