from .adaptive_large_margin_loss import (
    AdaptiveLargeMarginLoss,
    adaptive_large_margin,
    large_margin_cross_entropy,
    printed_positive_distance,
)
from .adversarial_loss import AdversarialLoss
from .batch_hard_triplet_loss import BatchHardTripletLoss, batch_hard_triplet
from .cosine_similarity_triplet_loss import (
    CosineSimilarityTripletLoss,
    cosine_similarity_triplet,
)
from .cross_modality_contrastive_center_loss import (
    CrossModalityContrastiveCenterLoss,
    cross_modality_contrastive_center,
)
from .cross_modality_triplet_loss import CrossModalityTripletLoss, cross_modality_triplet
from .exp_angle_triplet_loss import ExpAngleTripletLoss, exp_angle_triplet
from .hetero_center_loss import HeteroCenterLoss, hetero_center
from .identity_loss import IdentityLoss
from .mixture_prior_loss import MixturePriorLoss, mixture_prior_kl, mixture_prior_printed
from .perceptual_edge_loss import PerceptualEdgeLoss
from .r1_loss import R1Loss, r1_penalty
from .regularized_similarity_triplet_loss import (
    RegularizedSimilarityTripletLoss,
    regularized_similarity_triplet,
)
from .standard_gaussian_loss import StandardGaussianLoss, standard_gaussian_divergence
from .triplet_center_loss import TripletCenterLoss, triplet_center
from .triplet_swap_loss import (
    CycleConsistencyLoss,
    IdentityConsistencyLoss,
    SwapReconstructionLoss,
    SwapTable,
    cycle_consistency,
    identity_consistency,
    swap_reconstruction,
    swap_table,
)
from .weighted_regularized_triplet_loss import (
    WeightedRegularizedTripletLoss,
    weighted_regularized_triplet,
)

__all__ = [
    'AdaptiveLargeMarginLoss',
    'AdversarialLoss',
    'BatchHardTripletLoss',
    'CosineSimilarityTripletLoss',
    'CrossModalityContrastiveCenterLoss',
    'CrossModalityTripletLoss',
    'CycleConsistencyLoss',
    'ExpAngleTripletLoss',
    'HeteroCenterLoss',
    'IdentityConsistencyLoss',
    'IdentityLoss',
    'MixturePriorLoss',
    'PerceptualEdgeLoss',
    'R1Loss',
    'RegularizedSimilarityTripletLoss',
    'StandardGaussianLoss',
    'SwapReconstructionLoss',
    'SwapTable',
    'TripletCenterLoss',
    'WeightedRegularizedTripletLoss',
    'adaptive_large_margin',
    'batch_hard_triplet',
    'cosine_similarity_triplet',
    'cross_modality_contrastive_center',
    'cross_modality_triplet',
    'cycle_consistency',
    'exp_angle_triplet',
    'hetero_center',
    'identity_consistency',
    'large_margin_cross_entropy',
    'mixture_prior_kl',
    'mixture_prior_printed',
    'printed_positive_distance',
    'r1_penalty',
    'regularized_similarity_triplet',
    'standard_gaussian_divergence',
    'swap_reconstruction',
    'swap_table',
    'triplet_center',
    'weighted_regularized_triplet',
]
