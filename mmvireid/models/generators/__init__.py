from .code_decoder import CodeDecoder
from .gaussian_encoder import GaussianCode, GaussianEncoder
from .translation_generator import TranslationGenerator

__all__ = ['CodeDecoder', 'GaussianCode', 'GaussianEncoder', 'TranslationGenerator']
