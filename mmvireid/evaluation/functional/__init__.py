from .bootstrap import Difference, paired_bootstrap
from .camera_pairs import CameraPairs, camera_pairs
from .picture_similarity import Comparison, PictureSimilarity, picture_similarity
from .probes import folds_of_images, folds_of_people, held_out_accuracy, linear_probe
from .ranking import GalleryScorer, QueryScores
from .reranking import RERANKINGS, affinity_distance, k_reciprocal_distance, name_reranking
from .retrieval import DISTANCES, FLIP_SUMS, chance_level, evaluate, fuse_flip
from .separation import (
    DistanceHistograms,
    MeanSimilarity,
    cross_modality_histograms,
    distance_histograms,
    mean_similarity,
)

__all__ = [
    'DISTANCES',
    'FLIP_SUMS',
    'RERANKINGS',
    'CameraPairs',
    'Comparison',
    'Difference',
    'DistanceHistograms',
    'GalleryScorer',
    'MeanSimilarity',
    'PictureSimilarity',
    'QueryScores',
    'affinity_distance',
    'camera_pairs',
    'chance_level',
    'cross_modality_histograms',
    'distance_histograms',
    'evaluate',
    'folds_of_images',
    'folds_of_people',
    'fuse_flip',
    'held_out_accuracy',
    'k_reciprocal_distance',
    'linear_probe',
    'mean_similarity',
    'name_reranking',
    'paired_bootstrap',
    'picture_similarity',
]
