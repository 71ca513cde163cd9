from .attribute_decoder import AttributeDecoder
from .attribute_encoder import AttributeEncoder
from .code_decoder import CodeDecoder
from .codes import Codes, join_codes
from .gaussian_encoder import GaussianCode, GaussianEncoder
from .prototype_encoder import PrototypeEncoder
from .translation_generator import TranslationGenerator

__all__ = [
    'AttributeDecoder',
    'AttributeEncoder',
    'CodeDecoder',
    'Codes',
    'GaussianCode',
    'GaussianEncoder',
    'PrototypeEncoder',
    'TranslationGenerator',
    'join_codes',
]
