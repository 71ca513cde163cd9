from .retrieval_metric import LLCMMetric, RegDBMetric, RetrievalMetric, SYSUMetric

__all__ = ['LLCMMetric', 'RegDBMetric', 'RetrievalMetric', 'SYSUMetric']
