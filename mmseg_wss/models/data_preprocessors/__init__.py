from .weak_seg_data_preprocessor import WeakSegDataPreprocessor

__all__ = ['WeakSegDataPreprocessor']
