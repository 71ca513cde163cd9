from .code_decoder import CodeDecoder
from .gaussian_encoder import GaussianCode, GaussianEncoder

__all__ = ['CodeDecoder', 'GaussianCode', 'GaussianEncoder']
