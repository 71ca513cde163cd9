from .adaptive_large_margin_loss import (
    AdaptiveLargeMarginLoss,
    adaptive_large_margin,
    large_margin_cross_entropy,
    printed_positive_distance,
)
from .adversarial_loss import AdversarialLoss
from .batch_circle_loss import BatchCircleLoss, batch_circle
from .batch_hard_triplet_loss import BatchHardTripletLoss, batch_hard_triplet
from .branch_orthogonality_loss import BranchOrthogonalityLoss, branch_orthogonality
from .center_cluster_loss import CenterClusterLoss, center_cluster
from .center_pair_mining_loss import CenterPairMiningLoss, center_pair_mining
from .cosine_similarity_triplet_loss import (
    CosineSimilarityTripletLoss,
    cosine_similarity_triplet,
)
from .cross_modality_contrastive_center_loss import (
    CrossModalityContrastiveCenterLoss,
    cross_modality_contrastive_center,
)
from .cross_modality_triplet_loss import CrossModalityTripletLoss, cross_modality_triplet
from .dense_triplet_loss import DenseTripletLoss, dense_triplet
from .discriminative_center_loss import DiscriminativeCenterLoss, discriminative_center
from .dual_ranking_loss import DualRankingLoss, dual_ranking
from .exp_angle_triplet_loss import ExpAngleTripletLoss, exp_angle_triplet
from .hetero_center_loss import HeteroCenterLoss, hetero_center
from .hetero_center_triplet_loss import HeteroCenterTripletLoss, hetero_center_triplet
from .identity_loss import IdentityLoss
from .mask_separation_loss import MaskSeparationLoss, mask_separation
from .mean_discrepancy_loss import MeanDiscrepancyLoss, mean_discrepancy
from .mixture_prior_loss import MixturePriorLoss, mixture_prior_kl, mixture_prior_printed
from .modality_shared_enhancement_loss import (
    ModalitySharedEnhancementLoss,
    modality_shared_enhancement,
)
from .mutual_teaching_loss import MutualTeachingLoss, mutual_teaching
from .paired_center_triplet_loss import PairedCenterTripletLoss, paired_center_triplet
from .perceptual_edge_loss import PerceptualEdgeLoss
from .quadruple_center_loss import QuadrupleCenterLoss, quadruple_center
from .r1_loss import R1Loss, r1_penalty
from .regularized_similarity_triplet_loss import (
    RegularizedSimilarityTripletLoss,
    regularized_similarity_triplet,
)
from .soft_identity_loss import SoftIdentityLoss
from .squared_difference_triplet_loss import (
    SquaredDifferenceTripletLoss,
    squared_difference_triplet,
)
from .standard_gaussian_loss import StandardGaussianLoss, standard_gaussian_divergence
from .tri_directional_ranking_loss import TriDirectionalRankingLoss, tri_directional_hinges
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
    'BatchCircleLoss',
    'BatchHardTripletLoss',
    'BranchOrthogonalityLoss',
    'CenterClusterLoss',
    'CenterPairMiningLoss',
    'CosineSimilarityTripletLoss',
    'CrossModalityContrastiveCenterLoss',
    'CrossModalityTripletLoss',
    'CycleConsistencyLoss',
    'DenseTripletLoss',
    'DiscriminativeCenterLoss',
    'DualRankingLoss',
    'ExpAngleTripletLoss',
    'HeteroCenterLoss',
    'HeteroCenterTripletLoss',
    'IdentityConsistencyLoss',
    'IdentityLoss',
    'MaskSeparationLoss',
    'MeanDiscrepancyLoss',
    'MixturePriorLoss',
    'ModalitySharedEnhancementLoss',
    'MutualTeachingLoss',
    'PairedCenterTripletLoss',
    'PerceptualEdgeLoss',
    'QuadrupleCenterLoss',
    'R1Loss',
    'RegularizedSimilarityTripletLoss',
    'SoftIdentityLoss',
    'SquaredDifferenceTripletLoss',
    'StandardGaussianLoss',
    'SwapReconstructionLoss',
    'SwapTable',
    'TriDirectionalRankingLoss',
    'TripletCenterLoss',
    'WeightedRegularizedTripletLoss',
    'adaptive_large_margin',
    'batch_circle',
    'batch_hard_triplet',
    'branch_orthogonality',
    'center_cluster',
    'center_pair_mining',
    'cosine_similarity_triplet',
    'cross_modality_contrastive_center',
    'cross_modality_triplet',
    'cycle_consistency',
    'dense_triplet',
    'discriminative_center',
    'dual_ranking',
    'exp_angle_triplet',
    'hetero_center',
    'hetero_center_triplet',
    'identity_consistency',
    'large_margin_cross_entropy',
    'mask_separation',
    'mean_discrepancy',
    'mixture_prior_kl',
    'mixture_prior_printed',
    'modality_shared_enhancement',
    'mutual_teaching',
    'paired_center_triplet',
    'printed_positive_distance',
    'quadruple_center',
    'r1_penalty',
    'regularized_similarity_triplet',
    'squared_difference_triplet',
    'standard_gaussian_divergence',
    'swap_reconstruction',
    'swap_table',
    'tri_directional_hinges',
    'triplet_center',
    'weighted_regularized_triplet',
]
