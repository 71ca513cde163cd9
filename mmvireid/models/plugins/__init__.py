from .base_plugin import BasePlugin, MapSize
from .embedding_expansion_plugin import EmbeddingExpansionPlugin
from .feature_aggregation_plugin import FeatureAggregationPlugin
from .modality_alleviation_plugin import ModalityAlleviationPlugin
from .stage_plugins import StagePlugins
from .strip_attention_plugin import StripAttentionPlugin

__all__ = [
    'BasePlugin',
    'EmbeddingExpansionPlugin',
    'FeatureAggregationPlugin',
    'MapSize',
    'ModalityAlleviationPlugin',
    'StagePlugins',
    'StripAttentionPlugin',
]
