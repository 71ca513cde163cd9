from .llcm import LLCMProtocol
from .regdb import RegDBProtocol
from .retrieval_setting import RetrievalSetting
from .sysu import SYSUProtocol

#: The protocols by their name.
PROTOCOLS = {protocol.name: protocol for protocol in (SYSUProtocol, RegDBProtocol, LLCMProtocol)}

__all__ = ['PROTOCOLS', 'LLCMProtocol', 'RegDBProtocol', 'RetrievalSetting', 'SYSUProtocol']
