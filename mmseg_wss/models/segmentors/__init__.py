from .ensemble_segmentor import EnsembleSegmentor
from .prob_tta_model import ProbTTAModel
from .weak_encoder_decoder import WeakEncoderDecoder

__all__ = ['EnsembleSegmentor', 'ProbTTAModel', 'WeakEncoderDecoder']
