from .base_protocol import BaseProtocol
from .llcm import LLCMProtocol
from .lookup import find_protocol
from .regdb import RegDBProtocol
from .retrieval_setting import RetrievalSetting
from .sysu import SYSUProtocol

__all__ = [
    'BaseProtocol',
    'LLCMProtocol',
    'RegDBProtocol',
    'RetrievalSetting',
    'SYSUProtocol',
    'find_protocol',
]
