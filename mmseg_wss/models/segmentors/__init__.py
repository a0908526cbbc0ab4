from .weak_encoder_decoder import WeakEncoderDecoder

__all__ = ['WeakEncoderDecoder']
