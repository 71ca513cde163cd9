from .reid_data_sample import INFRARED, MODALITIES, VISIBLE, ReIDDataSample

__all__ = ['INFRARED', 'MODALITIES', 'VISIBLE', 'ReIDDataSample']
