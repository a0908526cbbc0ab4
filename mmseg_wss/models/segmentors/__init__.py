from .cam_encoder_decoder import CAMEncoderDecoder
from .ensemble_segmentor import EnsembleSegmentor
from .prob_tta_model import ProbTTAModel
from .weak_encoder_decoder import WeakEncoderDecoder

__all__ = ['CAMEncoderDecoder', 'EnsembleSegmentor', 'ProbTTAModel', 'WeakEncoderDecoder']
