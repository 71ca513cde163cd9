from .ranking import GalleryScorer, QueryScores
from .reranking import k_reciprocal_distance
from .retrieval import DISTANCES, chance_level, evaluate, fuse_flip

__all__ = [
    'DISTANCES',
    'GalleryScorer',
    'QueryScores',
    'chance_level',
    'evaluate',
    'fuse_flip',
    'k_reciprocal_distance',
]
