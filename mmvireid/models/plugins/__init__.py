from .base_plugin import BasePlugin, MapSize
from .modality_alleviation_plugin import ModalityAlleviationPlugin
from .stage_plugins import StagePlugins
from .strip_attention_plugin import StripAttentionPlugin

__all__ = [
    'BasePlugin',
    'MapSize',
    'ModalityAlleviationPlugin',
    'StagePlugins',
    'StripAttentionPlugin',
]
