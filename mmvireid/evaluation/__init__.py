from .feature_set import FeatureSet
from .functional import chance_level, evaluate, fuse_flip
from .protocols import (
    BaseProtocol,
    CSVProtocol,
    LLCMProtocol,
    RegDBProtocol,
    RetrievalSetting,
    SYSUProtocol,
    find_protocol,
)
from .report import Report, SettingResult, write_trials
from .table import align_rows, format_table

__all__ = [
    'BaseProtocol',
    'CSVProtocol',
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
    'find_protocol',
    'format_table',
    'fuse_flip',
    'write_trials',
]
