from .base_protocol import BaseProtocol
from .csv_reid import CSVProtocol
from .llcm import LLCMProtocol
from .lookup import find_protocol
from .regdb import RegDBProtocol
from .retrieval_setting import RetrievalSetting
from .sysu import SYSUProtocol

__all__ = [
    'BaseProtocol',
    'CSVProtocol',
    'LLCMProtocol',
    'RegDBProtocol',
    'RetrievalSetting',
    'SYSUProtocol',
    'find_protocol',
]
