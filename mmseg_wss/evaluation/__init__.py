from .class_iou_metric import ClassIoUMetric
from .crf_evaluator import CRFEvaluator
from .mask_quality import agreement_scores, confusion_counts, image_counts, mask_scores, trimap
from .prediction_files import PredictionFiles
from .prediction_writer import PredictionWriter
from .pseudo_mask_writer import PseudoMaskWriter, threshold_labels
from .seed_writer import SeedWriter

__all__ = [
    'CRFEvaluator', 'ClassIoUMetric', 'PredictionFiles', 'PredictionWriter', 'PseudoMaskWriter',
    'SeedWriter', 'agreement_scores', 'confusion_counts', 'image_counts', 'mask_scores',
    'threshold_labels', 'trimap'
]
