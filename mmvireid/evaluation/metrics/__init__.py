from .identity_accuracy import IdentityAccuracy
from .retrieval_metric import CSVMetric, LLCMMetric, RegDBMetric, RetrievalMetric, SYSUMetric

__all__ = [
    'CSVMetric',
    'IdentityAccuracy',
    'LLCMMetric',
    'RegDBMetric',
    'RetrievalMetric',
    'SYSUMetric',
]
