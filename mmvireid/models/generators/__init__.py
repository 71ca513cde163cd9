from .attribute_decoder import AttributeDecoder
from .attribute_encoder import AttributeEncoder
from .code_decoder import CodeDecoder
from .code_exchange import (
    BOTH_WAYS,
    CYCLES,
    RELIT,
    cycle_codes,
    exchange_codes,
    exchange_pictures,
    relight_codes,
    same_codes,
)
from .code_networks import CodeNetworks
from .codes import Codes, join_codes
from .gaussian_encoder import GaussianCode, GaussianEncoder
from .pixel_generator import PixelGenerator
from .prototype_encoder import PrototypeEncoder
from .translation_generator import TranslationGenerator

__all__ = [
    'BOTH_WAYS',
    'CYCLES',
    'RELIT',
    'AttributeDecoder',
    'AttributeEncoder',
    'CodeDecoder',
    'CodeNetworks',
    'Codes',
    'GaussianCode',
    'GaussianEncoder',
    'PixelGenerator',
    'PrototypeEncoder',
    'TranslationGenerator',
    'cycle_codes',
    'exchange_codes',
    'exchange_pictures',
    'join_codes',
    'relight_codes',
    'same_codes',
]
