from .base_plugin import BasePlugin, MapSize
from .cross_level_attention_plugin import CrossLevelAttentionPlugin
from .embedding_expansion_plugin import EmbeddingExpansionPlugin
from .feature_aggregation_plugin import FeatureAggregationPlugin
from .modality_alleviation_plugin import ModalityAlleviationPlugin
from .stage_plugins import StagePlugins
from .strip_attention_plugin import StripAttentionPlugin

__all__ = [
    'BasePlugin',
    'CrossLevelAttentionPlugin',
    'EmbeddingExpansionPlugin',
    'FeatureAggregationPlugin',
    'MapSize',
    'ModalityAlleviationPlugin',
    'StagePlugins',
    'StripAttentionPlugin',
]
