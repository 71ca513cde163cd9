from .bootstrap import Difference, paired_bootstrap
from .ranking import GalleryScorer, QueryScores
from .reranking import k_reciprocal_distance
from .retrieval import DISTANCES, FLIP_SUMS, chance_level, evaluate, fuse_flip
from .separation import (
    DistanceHistograms,
    MeanSimilarity,
    cross_modality_histograms,
    mean_similarity,
    nearest_neighbors,
)

__all__ = [
    'DISTANCES',
    'FLIP_SUMS',
    'Difference',
    'DistanceHistograms',
    'GalleryScorer',
    'MeanSimilarity',
    'QueryScores',
    'chance_level',
    'cross_modality_histograms',
    'evaluate',
    'fuse_flip',
    'k_reciprocal_distance',
    'mean_similarity',
    'nearest_neighbors',
    'paired_bootstrap',
]
