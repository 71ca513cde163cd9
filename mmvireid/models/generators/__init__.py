from .attribute_decoder import AttributeDecoder
from .attribute_encoder import AttributeEncoder
from .code_decoder import CodeDecoder
from .code_exchange import (
    BOTH_WAYS,
    CYCLES,
    RELIT,
    cycle_codes,
    exchange_codes,
    relight_codes,
    same_codes,
)
from .codes import Codes, join_codes
from .gaussian_encoder import GaussianCode, GaussianEncoder
from .prototype_encoder import PrototypeEncoder
from .translation_generator import TranslationGenerator

__all__ = [
    'BOTH_WAYS',
    'CYCLES',
    'RELIT',
    'AttributeDecoder',
    'AttributeEncoder',
    'CodeDecoder',
    'Codes',
    'GaussianCode',
    'GaussianEncoder',
    'PrototypeEncoder',
    'TranslationGenerator',
    'cycle_codes',
    'exchange_codes',
    'join_codes',
    'relight_codes',
    'same_codes',
]
