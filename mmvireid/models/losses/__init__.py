from .batch_hard_triplet_loss import BatchHardTripletLoss, batch_hard_triplet
from .identity_loss import IdentityLoss
from .weighted_regularized_triplet_loss import (
    WeightedRegularizedTripletLoss,
    weighted_regularized_triplet,
)

__all__ = [
    'BatchHardTripletLoss',
    'IdentityLoss',
    'WeightedRegularizedTripletLoss',
    'batch_hard_triplet',
    'weighted_regularized_triplet',
]
