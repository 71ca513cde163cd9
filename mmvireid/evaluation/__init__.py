from .feature_set import FeatureSet
from .functional import chance_level, evaluate, fuse_flip
from .protocols import PROTOCOLS, LLCMProtocol, RegDBProtocol, RetrievalSetting, SYSUProtocol
from .report import Report, SettingResult, write_trials
from .table import align_rows, format_table

__all__ = [
    'PROTOCOLS',
    'FeatureSet',
    'LLCMProtocol',
    'RegDBProtocol',
    'Report',
    'RetrievalSetting',
    'SYSUProtocol',
    'SettingResult',
    'align_rows',
    'chance_level',
    'evaluate',
    'format_table',
    'fuse_flip',
    'write_trials',
]
