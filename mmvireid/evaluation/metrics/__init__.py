from .identity_accuracy import IdentityAccuracy
from .retrieval_metric import LLCMMetric, RegDBMetric, RetrievalMetric, SYSUMetric

__all__ = ['IdentityAccuracy', 'LLCMMetric', 'RegDBMetric', 'RetrievalMetric', 'SYSUMetric']
