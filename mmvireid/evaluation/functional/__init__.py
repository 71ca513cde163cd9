from .ranking import GalleryScorer, QueryScores
from .reranking import k_reciprocal_distance
from .retrieval import DISTANCES, chance_level, evaluate, fuse_flip
from .separation import DistanceHistograms, cross_modality_histograms, nearest_neighbors

__all__ = [
    'DISTANCES',
    'DistanceHistograms',
    'GalleryScorer',
    'QueryScores',
    'chance_level',
    'cross_modality_histograms',
    'evaluate',
    'fuse_flip',
    'k_reciprocal_distance',
    'nearest_neighbors',
]
