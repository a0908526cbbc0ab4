from .bilateral_filter import BilateralFilter, bilateral_filter
from .dense_crf import DenseCRF, dense_crf

__all__ = ['BilateralFilter', 'DenseCRF', 'bilateral_filter', 'dense_crf']
